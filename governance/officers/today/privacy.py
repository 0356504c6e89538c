"""What asks for an officer about data: deletions that wait, budgets that are spent."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from governance.officers.today.items import Item, item
from privacy.budgets import ledger, releases
from privacy.models import Disposal


def disposals() -> list[Item]:
    late = Disposal.objects.exclude(status="done").filter(queued_at__lt=timezone.now() - timedelta(minutes=15))
    first = late.order_by("queued_at").first()
    if first is None:
        return []
    url = reverse("admin:privacy_disposal_changelist") + "?status__exact=queued"
    return [item(_("Deletions are waiting"), _("Is the worker running?"), url, "now", first.queued_at)]


def budgets() -> list[Item]:
    return [*_withheld_statistics(), *_spent_budgets()]


def _withheld_statistics() -> list[Item]:
    return [
        item(
            _("The statistic “%(name)s” is withheld") % {"name": statistic.title},
            _("The budget of “%(name)s” does not allow it now.") % {"name": statistic.data_set},
            reverse("admin:privacy_privacybudget_changelist"),
            "info",
        )
        for statistic in releases.withheld(ledger.balances())
    ]


def _spent_budgets() -> list[Item]:
    return [
        item(
            _("The privacy budget of “%(name)s” is nearly spent") % {"name": budget.data_set},
            _("%(left)s of %(total)s epsilon is left.")
            % {"left": f"{balance.left.normalize():f}", "total": f"{balance.total.normalize():f}"},
            reverse("admin:privacy_privacybudget_change", args=[budget.pk]),
            "info",
        )
        for budget, balance in ledger.balances()
        if balance.is_low
    ]
