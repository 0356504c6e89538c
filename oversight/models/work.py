"""Work items: what waits for an officer, and what became of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class WorkItem(models.Model):
    """Work of one kind on one object. At most one of them is open at a time."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CLAIMED = "claimed", "Claimed"
        ESCALATED = "escalated", "Escalated"
        DONE = "done", "Done"
        VOID = "void", "Void"

    OPEN_STATES = (State.OPEN, State.CLAIMED, State.ESCALATED)

    kind = models.SlugField(max_length=40)
    object = models.CharField(max_length=200)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="work_items"
    )
    opened_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    outcome = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "object"],
                condition=Q(state__in=["open", "claimed", "escalated"]),
                name="oversight_one_open_item",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object}"


class WorkStep(models.Model):
    """Step in the life of a work item. Append-only."""

    item = models.ForeignKey(WorkItem, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=12, choices=WorkItem.State)
    actor = models.CharField(max_length=160)
    at = models.DateTimeField(default=timezone.now)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.item_id}"
