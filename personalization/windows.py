"""Data minimisation: the rolling window of events per person, and segments too large to single out a person."""

from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count

from audit import trail
from common import actors
from consent.models import DataSubject
from personalization import engine
from personalization.models import Event
from personalization.recommender.levels import BEHAVIORAL_WINDOW
from policies.bundles import building, loading
from policies.decisions import evaluate
from policies.decisions.questions import Question
from policies.models import ActiveBundle
from privacy.anonymisation.kanonymity import smallest_class
from privacy.retention import turns

_TRIM = """
DELETE FROM personalization_event WHERE (occurred_at, id) IN (
  SELECT occurred_at, id FROM personalization_event WHERE subject_ref = %s AND purpose = %s
  ORDER BY occurred_at DESC, id DESC OFFSET %s)
"""


def trim_windows() -> int:
    """Delete events beyond the last 100 of people without full history at their level; return how many."""
    removed = 0
    stored = Event.objects.values("subject_ref", "purpose").annotate(stored=Count("id"))
    over = stored.filter(stored__gt=BEHAVIORAL_WINDOW)
    for row in over.iterator():
        if _may_keep_everything(row["subject_ref"], row["purpose"]):
            continue
        removed += _trim(row["subject_ref"], row["purpose"])
    if removed:
        trail.record("window.trimmed", "events", actor=actors.job("trim"), details={"removed": removed})
    return removed


@transaction.atomic
def _trim(ref: UUID, purpose: str) -> int:
    turns.take("events")
    if turns.is_kept(ref, purpose):  # a legal hold outlasts the window
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_TRIM, [ref, purpose, BEHAVIORAL_WINDOW])
        return int(cursor.rowcount)


def _may_keep_everything(ref: object, purpose: str) -> bool:
    question = Question(
        subject_ref=ref,  # type: ignore[arg-type]  # values() knows no types
        action="personalize",
        purpose=purpose,
        requested_level="individual",
        data_categories=("purchases", "ratings", "views"),
        processing_region=settings.PROCESSING_REGION,
    )
    return evaluate.decide(question, caller=actors.job("trim")).level == "individual"


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
