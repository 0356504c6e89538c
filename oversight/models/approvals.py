"""What a second officer said, and the steps of what needs one: change sets, policies, deletion plans. Append-only."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


def are_two_persons(name: str, account: str, other: str, other_account: str) -> Q:
    """Return the condition that two columns name two persons: by account where both have one, else by name."""
    are_known = Q(**{f"{account}__isnull": False, f"{other_account}__isnull": False})
    return (are_known & ~Q(**{account: F(other_account)})) | (~are_known & ~Q(**{name: F(other)}))


class Approval(models.Model):
    """Verdict of an officer on a subject whose digest is the one that was shown. Append-only.

    Accounts are numbers without a foreign key: they stay when an account goes, and none is used again.
    """

    class Verdict(models.TextChoices):
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        REVIEWED = "reviewed", "Reviewed afterwards"

    subject = models.CharField(max_length=40)
    object = models.CharField(max_length=200)
    digest = models.CharField(max_length=80)
    actor = models.CharField(max_length=160)
    account = models.BigIntegerField(null=True, help_text="Null: from before accounts were recorded.")
    author_name = models.CharField(max_length=160)
    author = models.BigIntegerField(null=True)
    is_single = models.BooleanField(default=False, help_text="The installation had one officer.")
    verdict = models.CharField(max_length=12, choices=Verdict)
    reason = models.CharField(max_length=500, blank=True)
    confirmed = models.JSONField(default=dict, help_text="Claims of the set that were confirmed, and why.")
    provenance = models.JSONField(default=list, help_text="Positions in the trail that say who made the two accounts.")
    given_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["subject", "object"], name="oversight_approval_of")]
        constraints = [
            models.CheckConstraint(
                name="oversight_two_persons",
                condition=Q(is_single=True) | are_two_persons("author_name", "author", "actor", "account"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.subject} {self.object}"


class Step(models.Model):
    """Step in the life of a subject. Append-only. ``is_alone``: one officer's, which another has to review."""

    subject = models.CharField(max_length=40)
    object = models.CharField(max_length=200)
    kind = models.CharField(max_length=40)
    actor = models.CharField(max_length=160)
    account = models.BigIntegerField(null=True)
    is_alone = models.BooleanField(default=False)
    at = models.DateTimeField(default=timezone.now)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["subject", "object", "id"], name="oversight_step_of")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.object}"
