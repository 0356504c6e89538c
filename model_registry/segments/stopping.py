"""Stop segments of a version: one protective set, in force at the next decision."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils import timezone

from audit import trail
from model_registry.models import ModelVersion
from model_registry.segments.models import StoppedSegment
from oversight.changes import applying, drafting
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet

REGISTER = "stopped_segment"


def stopped(version: ModelVersion) -> list[str]:
    """Return the segments of a version that are off."""
    rows = StoppedSegment.objects.filter(model_id=version.model_id, version=version.version)
    return sorted(rows.values_list("segment", flat=True))


def by_version() -> Mapping[tuple[int, int], list[str]]:
    """Return all segments that are off, by model and version. One statement."""
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for model, version, segment in StoppedSegment.objects.values_list("model_id", "version", "segment"):
        found[model, version].append(segment)
    return found


@transaction.atomic
def stop(version: ModelVersion, segments: Iterable[str], *, reason: str, actor: str) -> ChangeSet | None:
    """Stop those of the segments that are not off yet, as a set that another officer looks at; None without any."""
    off = set(stopped(version))
    wanted = sorted(set(segments) - off)
    if not wanted:
        return None
    proposed = [_proposed(version, segment, reason) for segment in wanted]
    change_set = drafting.draft(proposed, title=f"Model {version}: stop {len(wanted)} segments", actor=actor)
    done = applying.apply_protectively(change_set, actor=actor, reason=reason)
    details = {"segments": wanted, "reason": reason, "set": done.pk}
    trail.record("model.segments_stopped", str(version), actor=actor, details=details)
    return done


def _proposed(version: ModelVersion, segment: str, reason: str) -> Proposed:
    slug, number = version.model.slug, version.version
    after = {
        "model": slug,
        "version": number,
        "segment": segment,
        "reason": reason,
        "stopped_on": timezone.localdate().isoformat(),
    }
    return Proposed(REGISTER, f"{slug}/{number}/{segment}", after)
