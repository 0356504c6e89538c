"""Read the decisions about one data subject."""

from uuid import UUID

from policies.decision_log import pseudonyms
from policies.models import Decision


def decisions_about(subject_ref: UUID, *, limit: int = 20) -> list[Decision]:
    """Return a person's own decisions, newest first, as far back as the keys of their pseudonyms are kept."""
    tags = pseudonyms.tags_of(subject_ref)
    return list(Decision.objects.filter(subject_tag__in=tags).order_by("-id")[:limit])
