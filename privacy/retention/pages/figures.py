"""Figures above the list of deletion runs: what went day by day, and the oldest entries against their limits."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.admin_pages.display import sentence
from common.charts.counts import Bucket, Figure, Series, Tone, columns_figure
from common.charts.rates import Part, ShareRow, shares_figure
from privacy.models import Disposal, RetentionSchedule
from privacy.retention import schedules
from privacy.retention.pages.schedules import oldest_of

_DAYS = 30


def of_runs() -> list[Figure]:
    """Return both figures."""
    return [_removed(), _oldest()]


def _removed() -> Figure:
    today = timezone.now().date()
    days = [today - timedelta(days=back) for back in range(_DAYS - 1, -1, -1)]
    counts = _counts(days[0])
    return columns_figure(
        [Bucket(date_format(day, "j M"), counts[day]) for day in days],
        [
            Series(Disposal.Reason.RETENTION, _("Retention ended"), Tone.ACCENT),
            Series(Disposal.Reason.WITHDRAWAL, _("Consent withdrawn"), Tone.QUIET),
        ],
        title=_("Entries removed, last 30 days"),
        description=_("Entries that deletion runs removed, by the day on which a run ended and by its reason."),
        bucket_heading=_("Day"),
    )


def _counts(first: date) -> defaultdict[date, Counter[str]]:
    found: defaultdict[date, Counter[str]] = defaultdict(Counter)
    ended = Disposal.objects.filter(finished_at__date__gte=first, undone_at=None)
    for at, reason, removed in ended.values_list("finished_at", "reason", "removed").iterator():
        found[at.date()][reason] += sum(removed.values())  # type: ignore[union-attr]  # of runs that ended
    return found


def _oldest() -> Figure:
    return shares_figure(
        list(_rows()),
        [Part(_("Part of its limit"), Tone.ACCENT), Part(_("Left"), Tone.QUIET)],
        title=_("Oldest entry against its limit"),
        description=_(
            "Age of the oldest entry of each schedule in use, as a part of how long it may be kept. What is over goes"
            " tonight, or is kept by a hold or a law."
        ),
        headings=(_("Schedule"), _("Oldest entry"), _("Part of its limit"), _("Left")),
    )


def _rows() -> Iterator[ShareRow]:
    now = timezone.now()
    for schedule in schedules.ending():
        oldest = oldest_of(schedule) if schedule.retain_for else None
        if oldest is None or schedule.retain_for is None:
            continue
        share = min(1.0, (now - oldest) / schedule.retain_for)
        yield ShareRow(_label(schedule), _note((now - oldest).days, schedule.retain_for.days), (share, 1 - share))


def _label(schedule: RetentionSchedule) -> str:
    return f"{sentence(schedule.data_set)}: {schedule.slug}"


def _note(age: int, limit: int) -> str:
    of_limit = ngettext("%(age)d of %(limit)d day", "%(age)d of %(limit)d days", limit) % {"age": age, "limit": limit}
    if age < limit:
        return of_limit
    return _("%(of_limit)s: over") % {"of_limit": of_limit}
