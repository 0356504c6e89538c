"""Privacy budgets, the statistics that may be published under them, what was charged, and what was published."""

from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

_SMALLEST = MinValueValidator(Decimal("0.0001"))


class PrivacyBudget(models.Model):
    """What may be learnt at most about one person of a data set in each window of time (differential privacy).

    What was spent follows from the charges alone; the database refuses a charge beyond the total.
    """

    class Window(models.TextChoices):
        DAY = "day", "Day"
        WEEK = "week", "Week"
        MONTH = "month", "Month"
        QUARTER = "quarter", "Quarter"
        YEAR = "year", "Year"
        EVER = "ever", "For ever"

    data_set = models.SlugField(max_length=64, unique=True)
    epsilon_total = models.DecimalField("total epsilon", max_digits=8, decimal_places=4, validators=[_SMALLEST])
    delta = models.DecimalField(
        max_digits=13,
        decimal_places=12,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal("0.0001"))],
    )
    window = models.CharField("renewed each", max_length=8, choices=Window, default=Window.EVER)
    is_shipped = models.BooleanField("shipped", default=False, editable=False)

    class Meta:
        ordering = ["data_set"]
        verbose_name = "privacy budget"

    def __str__(self) -> str:
        return self.data_set


class Statistic(models.Model):
    """A statistic that the nightly job publishes: of which data set, bounded how, and at what cost."""

    class Kind(models.TextChoices):
        COUNT = "count", "Count"
        HISTOGRAM = "histogram", "Histogram"
        SUM = "sum", "Sum"
        MEAN = "mean", "Mean"
        QUANTILE = "quantile", "Quantile"
        TOP = "top-k", "Largest groups (top-k)"
        RATE = "rate", "Rate"

    class Mechanism(models.TextChoices):
        GEOMETRIC = "geometric", "Geometric: pure epsilon"
        GAUSSIAN = "gaussian", "Gaussian: epsilon at the budget's delta"

    class Every(models.TextChoices):
        NIGHT = "night", "Night"
        WEEK = "week", "Week"
        MONTH = "month", "Month"

    slug = models.SlugField("reference", max_length=64, unique=True)
    title = models.CharField(max_length=120)
    data_set = models.SlugField(max_length=64)
    kind = models.CharField(max_length=12, choices=Kind)
    group_by = models.CharField("by", max_length=32, blank=True, default="")
    value = models.CharField(max_length=32, blank=True, default="")
    lower = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    upper = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    cells = models.PositiveSmallIntegerField(default=10, validators=[MinValueValidator(2), MaxValueValidator(200)])
    share = models.DecimalField(
        max_digits=4,
        decimal_places=3,
        default=Decimal("0.5"),
        validators=[MinValueValidator(Decimal("0.001")), MaxValueValidator(Decimal("0.999"))],
    )
    top = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1), MaxValueValidator(100)])
    rows_each = models.PositiveSmallIntegerField(
        "rows of one person", default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    mechanism = models.CharField(
        "noise", max_length=12, choices=Mechanism, default=Mechanism.GEOMETRIC, db_default=Mechanism.GEOMETRIC
    )
    epsilon = models.DecimalField(max_digits=8, decimal_places=4, validators=[_SMALLEST])
    every = models.CharField("published every", max_length=8, choices=Every, default=Every.MONTH)
    is_active = models.BooleanField("in use", default=True)
    is_shipped = models.BooleanField("shipped", default=False, editable=False)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValidationError({"upper": "It must lie above the lower bound."})


class BudgetSpend(models.Model):
    """One charge against a budget. Append only: written before the noise is drawn, never given back.

    ``curve``: Renyi divergences at ``composition.ORDERS``; charges of earlier releases have none, and count in full.
    """

    budget = models.ForeignKey(PrivacyBudget, on_delete=models.PROTECT, related_name="spends")
    statistic = models.SlugField(max_length=64, default="", db_default="")
    release_key = models.CharField(max_length=120, unique=True)
    epsilon = models.DecimalField(max_digits=8, decimal_places=4)
    delta = models.DecimalField(max_digits=13, decimal_places=12, default=Decimal(0), db_default=Decimal(0))
    curve = ArrayField(models.FloatField(), null=True)
    actor = models.CharField(max_length=120, default="", db_default="")
    spent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-spent_at"]
        verbose_name = "budget spend"
        constraints = [
            models.CheckConstraint(name="privacy_spend_is_positive", condition=Q(epsilon__gt=0) & Q(delta__gte=0)),
            models.CheckConstraint(name="privacy_spend_has_all_orders", condition=Q(curve=None) | Q(curve__len=22)),
            models.CheckConstraint(
                name="privacy_spend_delta_has_divergences", condition=Q(delta=0) | Q(curve__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.release_key}: {self.epsilon}"


class Release(models.Model):
    """A published statistic, as published. Append only; the noise is part of it.

    ``definition``: the statistic as it was computed; empty for those of earlier releases.
    """

    spend = models.OneToOneField(BudgetSpend, on_delete=models.PROTECT)
    statistic = models.SlugField(max_length=64)
    definition: Any = models.JSONField(default=dict, db_default={})
    rows = models.JSONField()
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-published_at"]

    def __str__(self) -> str:
        return f"{self.statistic} {self.published_at:%Y-%m-%d}"
