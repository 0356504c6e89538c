"""Picture of a privacy budget: what was left after each day of its window."""

from datetime import UTC, datetime, time, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from common.charts.counts import Figure, Tone
from common.charts.rates import Part, lines_figure
from privacy.budgets import ledger
from privacy.models import PrivacyBudget

_MOST_POINTS = 30


def figure(budget: PrivacyBudget) -> Figure:
    """Return the share of the budget that was left, over its window; over all charges where it has no window."""
    ends = _ends(budget)
    return lines_figure(
        [date_format(end, "j M") for end in ends],
        [(Part(_("Left"), Tone.ACCENT), [_left(budget, end) for end in ends])],
        title=_("Budget left in this window"),
        description=_("Share of the epsilon of this window that was left at the end of each day."),
        heading=_("Day"),
    )


def _ends(budget: PrivacyBudget) -> list[datetime]:
    """Return the ends of days from the window's first to now, at most so many of them."""
    now = timezone.now()
    since = ledger.balance(budget, now).since
    if since is None:
        first = budget.spends.order_by("spent_at").first()
        since = first.spent_at if first else now
    days = (now.date() - since.date()).days
    step = -(-(days + 1) // _MOST_POINTS)
    past = [now.date() - timedelta(days=back) for back in range(days, 0, -step)]
    return [*(datetime.combine(day, time.max, UTC) for day in past), now]


def _left(budget: PrivacyBudget, at: datetime) -> float:
    balance = ledger.balance(budget, at, until=at)
    return float(balance.left / balance.total)
