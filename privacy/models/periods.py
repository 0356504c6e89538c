"""How long Assent keeps its own records: the decision log, proof of consent, and what officers and operators leave."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q


class RecordPeriod(models.Model):
    """Retention period of one kind of Assent's own records. A row for each kind there is."""

    class Kind(models.TextChoices):
        DECISION_LOG = "decision_log", "Decision log"
        LOG_EXPORTS = "log_exports", "Exports of the decision log"
        CONSENT_PROOF = "consent_proof", "Proof of consent"
        IMPORT_REPORTS = "import_reports", "Reports of consent imports"
        OFFICER_SESSIONS = "officer_sessions", "Officers' ended sessions"
        MODEL_FILES = "model_files", "Artifacts of models out of use"
        ROLLOUT_COUNTS = "rollout_counts", "Counts of ended rollouts of models"

    # Days: the least an installation may set, and what it starts with.
    LEAST = {
        "decision_log": 31, "log_exports": 1, "consent_proof": 365, "import_reports": 31, "officer_sessions": 7,
        "model_files": 7, "rollout_counts": 7,
    }  # fmt: skip
    AT_FIRST = {
        "decision_log": 365, "log_exports": 365, "consent_proof": 3650, "import_reports": 365, "officer_sessions": 30,
        "model_files": 90, "rollout_counts": 60,
    }  # fmt: skip
    MOST = 36_500

    slug = models.CharField("kind", max_length=32, unique=True, choices=Kind)
    keep_days = models.PositiveIntegerField("days")

    class Meta:
        ordering = ["slug"]
        verbose_name = "record period"
        constraints = [
            models.CheckConstraint(
                name="privacy_record_period_bounds",
                condition=Q(keep_days__lte=36_500)
                & (
                    Q(slug="decision_log", keep_days__gte=31)
                    | Q(slug="log_exports", keep_days__gte=1)
                    | Q(slug="consent_proof", keep_days__gte=365)
                    | Q(slug="import_reports", keep_days__gte=31)
                    | Q(slug="officer_sessions", keep_days__gte=7)
                    | Q(slug="model_files", keep_days__gte=7)
                    | Q(slug="rollout_counts", keep_days__gte=7)
                ),
            )
        ]

    def __str__(self) -> str:
        return self.get_slug_display()

    def clean(self) -> None:
        least = self.LEAST.get(self.slug, 1)
        if not least <= (self.keep_days or 0) <= self.MOST:
            raise ValidationError({"keep_days": f"From {least:,} to {self.MOST:,} days."})

    @property
    def lasts(self) -> timedelta:
        return timedelta(days=self.keep_days)
