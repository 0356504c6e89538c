"""Change sets: what is proposed for the registers, and what became of it."""

from django.conf import settings
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone

from oversight.models.approvals import Approval, Step
from oversight.models.work import WorkItem


class ChangeSet(models.Model):
    """Changes of registers that come into force together, as one revision, or not at all."""

    SUBJECT = "changes"

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PROPOSED = "proposed", "Proposed"
        IN_FORCE = "in_force", "In force"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        UNDONE = "undone", "Undone"

    class Kind(models.TextChoices):
        NORMAL = "normal", "Two officers"
        PROTECTIVE = "protective", "Protective"
        EMERGENCY = "emergency", "Emergency"
        SINGLE = "single", "Single officer"
        RELAXED = "relaxed", "One officer, as the register allows"
        SHIPPED = "shipped", "Shipped defaults"
        RELEASE = "release", "Release of the primary cell"

    OPEN_STATES = (State.DRAFT, State.PROPOSED)

    title = models.CharField(max_length=200)
    reason = models.CharField(max_length=500, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="change_sets"
    )
    author_name = models.CharField(max_length=160, editable=False)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.NORMAL)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the changes as canonical JSON.")
    # What was checked and previewed are stamps on a digest: an edit makes another digest, and they are void.
    checked_digest = models.CharField(max_length=64, blank=True)
    base = models.CharField(max_length=64, blank=True, help_text="Digest of all registers when the set was checked.")
    findings = models.JSONField(default=list)
    preview = models.JSONField(default=list)
    # What a job has yet to count for the preview, and the per cent it has done; null: nothing.
    counting = models.JSONField(null=True, editable=False)
    expected_revision = models.CharField(max_length=80, blank=True)
    bundle_revision = models.CharField(max_length=80, blank=True)
    undoes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    proposed_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "-id"], name="oversight_set_state")]
        permissions = [
            ("propose_changeset", "Can propose change sets"),
            ("approve_changeset", "Can approve change sets of other officers"),
            ("emergency_changeset", "Can bring a change set into force alone, in an emergency"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def approvals(self) -> QuerySet[Approval]:
        """Return the verdicts on it."""
        return Approval.objects.filter(subject=self.SUBJECT, object=str(self.pk))

    @property
    def steps(self) -> QuerySet[Step]:
        """Return the steps of its life."""
        return Step.objects.filter(subject=self.SUBJECT, object=str(self.pk))

    @property
    def is_checked(self) -> bool:
        return self.checked_digest == self.digest

    @property
    def is_open(self) -> bool:
        """Return whether it may still come into force."""
        return self.state in self.OPEN_STATES

    @property
    def has_errors(self) -> bool:
        """Return whether lint found what keeps the set as it stands from being proposed."""
        return self.is_checked and any(finding["is_error"] for finding in self.findings)

    @property
    def is_unreviewed(self) -> bool:
        """Return whether one officer brought it into force alone and no other has looked at it."""
        alone = self.kind in (self.Kind.EMERGENCY, self.Kind.PROTECTIVE, self.Kind.RELAXED)
        waiting = WorkItem.objects.filter(kind=f"{self.SUBJECT}-review", state__in=WorkItem.OPEN_STATES)
        return alone and waiting.filter(object=str(self.pk)).exists()


class Change(models.Model):
    """One object of one register: its document before and after, None where it is not there."""

    set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, related_name="changes")
    position = models.PositiveIntegerField()
    register = models.CharField(max_length=40)
    key = models.CharField(max_length=300)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering = ["set", "position"]
        constraints = [
            models.UniqueConstraint(fields=["set", "register", "key"], name="oversight_one_change_an_object"),
        ]
        indexes = [models.Index(fields=["register", "key", "-set"], name="oversight_change_object")]

    def __str__(self) -> str:
        return f"{self.register} {self.key}"
