"""Simulation reports: what a candidate revision would have answered, kept for the decision to publish."""

import uuid

from django.db import models
from django.utils import timezone

from policies.models.bundle import Policy


class SimulationReport(models.Model):
    """A simulation, from the moment it is requested. The candidate is named by digest; it need not be stored here."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    candidate = models.CharField(max_length=71)
    # The published policy the candidate was built of, where it was one: registers change, and it stays this policy.
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, null=True, related_name="simulations")
    base = models.CharField(max_length=71, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField()
    # Of a change of registers: each side is asked about the facts as its own registers make them. Empty for a policy.
    change_set_digest = models.CharField(max_length=64, blank=True)
    at_most = models.PositiveIntegerField(null=True)  # the newest decisions of the window; all if empty
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    decisions_expected = models.PositiveBigIntegerField(null=True)
    decisions_read = models.PositiveBigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    document = models.JSONField(null=True)
    error = models.CharField(max_length=500, blank=True)
    author = models.CharField(max_length=120)
    requested_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now)  # the last sign of life of a simulation that runs
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-requested_at"]
        indexes = [models.Index(fields=["candidate", "-finished_at"], name="policies_simulation_of")]

    def __str__(self) -> str:
        return f"simulation of {self.candidate.removeprefix('sha256:')[:12]}"

    @property
    def has_ended(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED)
