"""Privacy budgets, what was spent of them, and the statistics published for it."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class PrivacyBudget(models.Model):
    """Epsilon that may ever be spent on one data set (differential privacy, basic composition)."""

    data_set = models.SlugField(max_length=64, unique=True)
    epsilon_total = models.DecimalField(max_digits=8, decimal_places=4)
    epsilon_spent = models.DecimalField(max_digits=8, decimal_places=4, default=Decimal(0))

    class Meta:
        ordering = ["data_set"]
        verbose_name = "privacy budget"
        constraints = [
            models.CheckConstraint(
                name="privacy_budget_not_overspent",
                condition=Q(epsilon_spent__gte=0) & Q(epsilon_spent__lte=F("epsilon_total")),
            )
        ]

    def __str__(self) -> str:
        return self.data_set

    @property
    def epsilon_left(self) -> Decimal:
        return self.epsilon_total - self.epsilon_spent


class BudgetSpend(models.Model):
    """One charge against a budget. Append only: written before the noise is drawn, never given back."""

    budget = models.ForeignKey(PrivacyBudget, on_delete=models.PROTECT, related_name="spends")
    release_key = models.CharField(max_length=120, unique=True)
    epsilon = models.DecimalField(max_digits=8, decimal_places=4)
    spent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-spent_at"]
        verbose_name = "budget spend"
        constraints = [models.CheckConstraint(name="privacy_spend_is_positive", condition=Q(epsilon__gt=0))]

    def __str__(self) -> str:
        return f"{self.release_key}: {self.epsilon}"


class Release(models.Model):
    """A published statistic, as published. Append only; the noise is part of it."""

    spend = models.OneToOneField(BudgetSpend, on_delete=models.PROTECT)
    statistic = models.SlugField(max_length=64)
    rows = models.JSONField()
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-published_at"]

    def __str__(self) -> str:
        return f"{self.statistic} {self.published_at:%Y-%m-%d}"
