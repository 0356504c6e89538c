"""The rolling window as a schedule that every installation begins with, once; officers change it from then on."""

from django.db import transaction

from oversight.changes.applying import apply_shipped
from oversight.models import Change
from personalization.recommender.levels import BEHAVIORAL_WINDOW
from privacy.models import RetentionSchedule
from privacy.retention.descriptors import RETENTION_SCHEDULE

SLUG = "event-window"


@transaction.atomic
def ensure_window(*, actor: str) -> bool:
    """Ship the schedule unless a change set was about it before; return whether it was shipped."""
    if Change.objects.filter(register=RETENTION_SCHEDULE.name, key=SLUG).exists():
        return False
    with apply_shipped(title="Rolling window of events", actor=actor):
        RetentionSchedule.objects.get_or_create(
            slug=SLUG, defaults={"trigger": RetentionSchedule.Trigger.WINDOW, "keep_last": BEHAVIORAL_WINDOW}
        )
    return True
