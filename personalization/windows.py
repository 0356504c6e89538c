"""Data minimisation: segments too large to single out a person."""

import numpy as np

from audit import trail
from common import actors
from consent.models import DataSubject
from personalization import engine
from policies.bundles import building, loading
from policies.models import ActiveBundle
from privacy.anonymisation.kanonymity import smallest_class


def check_segments() -> dict[str, int]:
    """Verify that every segment the model in use serves holds at least k people of the register; audit the result."""
    active = ActiveBundle.objects.first()
    bundle = loading.loaded(active.bundle_id) if active else None
    name = engine.model_in_use(bundle) if bundle else None
    if bundle is None or name is None:
        return {}
    segments = engine.load(name, bundle).segments
    rows = DataSubject.objects.exclude(region="").values_list("region", "age_band")
    people = [row for row in rows if engine.segment_key(*row) in segments]
    k = 0
    if len({engine.segment_key(*row) for row in people}) == len(segments) > 0:
        columns = {
            "region": np.array([region for region, _ in people]),
            "age_band": np.array([age for _, age in people]),
        }
        k = smallest_class(columns, ["region", "age_band"])
    details = {"segments": len(segments), "smallest": k, "required": building.SEGMENT_MIN_SIZE}
    trail.record("segments.checked", name, actor=actors.job("segments"), details=details)
    return details
