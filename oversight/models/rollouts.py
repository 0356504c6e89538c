"""Rollouts of any kind: something that decides or serves, from a shadow to a share of the people, to all of them."""

from django.db import models
from django.utils import timezone

from oversight.models.approvals import Approval


class RolloutBase(models.Model):
    """Columns of a rollout. A share of 0 is a shadow: the candidate is evaluated but answers no request.

    Each kind has a table of its own, with what its candidate is and the constraints of ``oversight.rollouts``.
    """

    class State(models.TextChoices):
        OPEN = "open", "Running"
        COMPLETED = "completed", "In force for everybody"
        STOPPED = "stopped", "Stopped by an officer"
        ROLLED_BACK = "rolled_back", "Rolled back by a guard"
        OVERTAKEN = "overtaken", "Ended because other rules came into force"

    started_by = models.CharField(max_length=120)
    # What let it answer so many people; the approval's own constraint says that two persons are behind it.
    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200)
    share = models.PositiveSmallIntegerField(default=0)
    guards = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    started_at = models.DateTimeField(default=timezone.now)
    watched_at = models.DateTimeField(default=timezone.now)  # when the guards last looked and found nothing
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=120, blank=True)
    why = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True
        ordering = ["-id"]

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN
