"""How long a purpose's data is kept, in one number: what policies, notices and people's pages say of it."""

from django.db.models import F, Func, IntegerField, QuerySet

from consent.models import Purpose
from privacy.models import RetentionSchedule

Trigger, Action = RetentionSchedule.Trigger, RetentionSchedule.Action


class Days(Func):
    """The days of a row of purposes, as notices freeze them; None where no period counts from receipt."""

    function, output_field = "assent_retention_days", IntegerField(null=True)

    def __init__(self) -> None:
        super().__init__(F("pk"))


def of_purposes() -> dict[str, int]:
    """Return the days by purpose: the shortest period for everyone that counts from when data was received."""
    found = Purpose.objects.annotate(days=Days()).filter(days__isnull=False)
    return dict(found.order_by("slug").values_list("slug", "days"))


def ended() -> set[int]:
    """Return the purposes whose data a schedule in use ends for everyone; a window alone ends nothing."""
    ending = _ending().exclude(trigger=Trigger.WINDOW).filter(jurisdiction="")
    if ending.filter(purpose=None, data_set=_DEFAULT).exists():
        return set(Purpose.objects.values_list("pk", flat=True))
    return set(ending.exclude(purpose=None).values_list("purpose_id", flat=True))


def main_of(purpose: Purpose) -> RetentionSchedule | None:
    """Return the schedule that says in one number how long a purpose's data is kept."""
    found = _ending().filter(trigger=Trigger.RECEIVED, jurisdiction="", purpose=purpose, data_set=_DEFAULT)
    return found.order_by("retain_for").first()


def _ending() -> QuerySet[RetentionSchedule]:
    return RetentionSchedule.objects.filter(is_active=True).exclude(action=Action.KEEP)


_DEFAULT = RetentionSchedule._meta.get_field("data_set").default  # noqa: SLF001 (Django documents it for this use)
