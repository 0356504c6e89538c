"""Data minimisation: segments too large to single out a person."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import Count

from audit import trail
from common import actors
from common.suppression import smallest_group
from consent.models import DataSubject
from model_registry.models import ModelVersion
from model_registry.segments import stopping
from personalization import engine
from personalization.models import SnapshotPerson
from personalization.monitors import work
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.models import ActiveBundle

JOB = actors.job("segments")


@transaction.atomic
def check_segments() -> dict[str, int]:
    """Stop every segment of the version in use, and of its canary, that holds fewer than k people; audit the result.

    A stopped segment serves no person from the next request on. It does not come back by itself: two officers let it,
    or a version trained since.
    """
    active = ActiveBundle.objects.first()
    bundle = loading.loaded(active.bundle_id) if active else None
    if bundle is None:
        return {}
    names = [name for name in (engine.model_in_use(bundle), engine.candidate_of(bundle)) if name]
    return next(iter([_check(name, bundle) for name in names]), {})


def _check(name: str, bundle: LoadedBundle) -> dict[str, int]:
    version = _version(name)
    segments, people, k = engine.load(name, bundle).segments, people_by_segment(version), smallest_group()
    small = below_k(segments, people, k)
    stopping.stop(version, small, reason=f"Fewer than {k} people are in it.", actor=JOB)
    work.follow_stopped(version, actor=JOB)
    details = {
        "segments": len(segments),
        "smallest": min((people.get(key, 0) for key in segments), default=0),
        "required": k,
        "stopped": len(stopping.stopped(version)),
    }
    trail.record("segments.checked", name, actor=JOB, details=details)
    return details


def below_k(segments: Iterable[str], people: Mapping[str, int], k: int) -> list[str]:
    """Return those of the segments with fewer than k of the people of the register."""
    return [key for key in segments if people.get(key, 0) < k]


def people_by_segment(version: ModelVersion) -> dict[str, int]:
    """Return how many people are in each segment: of the register, and of those the version knows in its groups."""
    rows = DataSubject.objects.exclude(region="").order_by().values_list("region", "age_band").annotate(Count("pk"))
    known = {engine.segment_key(region, age_band): count for region, age_band, count in rows}
    return {**known, **_in_groups(version, "readable"), **_in_groups(version, "taste")}


def _in_groups(version: ModelVersion, kind: str) -> dict[str, int]:
    rows = SnapshotPerson.objects.filter(version=version).exclude(**{kind: ""}).order_by()
    return dict(rows.values_list(kind).annotate(Count("pk")))


def _version(name: str) -> ModelVersion:
    slug, _, number = name.rpartition("@")
    return ModelVersion.objects.select_related("model").get(model__slug=slug, version=int(number))
