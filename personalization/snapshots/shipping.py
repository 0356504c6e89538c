"""Schedule of snapshots that every installation begins with, once; officers change it from then on."""

from datetime import timedelta

from django.db import transaction

from oversight.changes.applying import apply_shipped
from oversight.models import Change
from personalization.snapshots import keeping
from privacy.models import RetentionSchedule
from privacy.retention.descriptors import RETENTION_SCHEDULE

SLUG = "training-snapshots"
PERIOD = timedelta(days=14)


@transaction.atomic
def ensure_schedule(*, actor: str) -> bool:
    """Ship the schedule unless a change set was about it before; return whether it was shipped."""
    if Change.objects.filter(register=RETENTION_SCHEDULE.name, key=SLUG).exists():
        return False
    with apply_shipped(title="Retention of training snapshots", actor=actor):
        RetentionSchedule.objects.get_or_create(slug=SLUG, defaults={"data_set": keeping.NAME, "retain_for": PERIOD})
    return True
