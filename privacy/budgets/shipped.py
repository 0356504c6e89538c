"""The statistic that a new installation publishes from its first night on, and its small budget: marked as shipped.

Nothing else is published without two officers. They may switch it off, or change either; the mark ends with that.
"""

from decimal import Decimal

from django.db import transaction

from audit import trail
from oversight import guard
from privacy.budgets.data_sets import CONSENTS
from privacy.models import PrivacyBudget, Statistic

_WRITER = "shipped statistics"


@transaction.atomic
def ensure() -> bool:
    """Define the shipped statistic and its budget where neither is there; return whether it did."""
    if PrivacyBudget.objects.filter(data_set=CONSENTS.name).exists() or Statistic.objects.exists():
        return False
    with guard.writing(_WRITER):
        PrivacyBudget.objects.create(
            data_set=CONSENTS.name,
            epsilon_total=Decimal(1),
            window=PrivacyBudget.Window.MONTH,
            is_shipped=True,
        )
        statistic = Statistic.objects.create(
            slug="consent-rate-by-region",
            title="Consent rate by region",
            data_set=CONSENTS.name,
            kind=Statistic.Kind.RATE,
            group_by="region",
            value="consenting",
            epsilon=Decimal("0.5"),
            every=Statistic.Every.MONTH,
            is_shipped=True,
        )
    trail.record("statistic.shipped", statistic.slug, actor="system", details={"epsilon": "0.5", "every": "month"})
    return True
