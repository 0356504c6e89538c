"""Rollouts: a candidate policy on its way into force, from a shadow to a share of the people, to all of them."""

from django.db import models
from django.utils import timezone

from common.rollouts.shares import FULL
from oversight.models import RolloutBase
from policies.models.bundle import Bundle, Policy


class Rollout(RolloutBase):
    """One rollout. A share of 0 is a shadow: the candidate is evaluated but answers no request."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="rollouts")
    in_emergency = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="policies_one_open_rollout", fields=["state"], condition=models.Q(state="open")
            ),
            models.CheckConstraint(
                name="policies_rollout_approved",
                condition=models.Q(share=0) | models.Q(approval__isnull=False),
            ),
            models.CheckConstraint(name="policies_rollout_share", condition=models.Q(share__lte=FULL)),
        ]

    def __str__(self) -> str:
        return f"rollout of {self.policy_id.removeprefix('sha256:')[:12]}"


class RolloutStep(models.Model):
    """Which revision was the candidate from a step of a rollout on, and its share. Append only.

    Who took the step and why stands with the steps of everything that takes two officers (``oversight.models.Step``).
    """

    class Kind(models.TextChoices):
        STARTED = "started", "Started beside the active policy"
        WIDENED = "widened", "Widened"
        NARROWED = "narrowed", "Narrowed"
        REBUILT = "rebuilt", "Built anew over changed registers"
        ENDED = "ended", "Ended"

    rollout = models.ForeignKey(Rollout, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=8, choices=Kind)
    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="+")
    share = models.PositiveSmallIntegerField()
    figures = models.JSONField(null=True)  # what a guard had counted
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} at {self.share / 100:g} %"
