"""Rollouts: a candidate policy on its way into force, from a shadow to a share of the people, to all of them."""

from typing import Final

from django.db import models
from django.utils import timezone

from oversight.models import Approval
from policies.models.bundle import Bundle, Policy

FULL: Final = 10_000  # shares are counted in ten-thousandths


class Rollout(models.Model):
    """One rollout. A share of 0 is a shadow: the candidate is evaluated but answers no request."""

    class State(models.TextChoices):
        OPEN = "open", "Running"
        COMPLETED = "completed", "In force for everybody"
        STOPPED = "stopped", "Stopped by an officer"
        ROLLED_BACK = "rolled_back", "Rolled back by a guard"
        OVERTAKEN = "overtaken", "Ended because other rules came into force"

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="rollouts")
    started_by = models.CharField(max_length=120)
    # What let it answer so many people; the approval's own constraint says that two persons are behind it.
    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200)
    in_emergency = models.BooleanField(default=False)
    share = models.PositiveSmallIntegerField(default=0)
    guards = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    started_at = models.DateTimeField(default=timezone.now)
    watched_at = models.DateTimeField(default=timezone.now)  # when the guards last looked and found nothing
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=120, blank=True)
    why = models.CharField(max_length=500, blank=True)

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

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


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
