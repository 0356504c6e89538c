from django.db import models
from django.utils import timezone

from oversight.models.approvals import are_two_persons


class Bundle(models.Model):
    """Policies and data as one immutable revision, named by the SHA-256 of its canonical JSON. Append only."""

    revision = models.CharField(max_length=71, primary_key=True)  # "sha256:" and 64 hexadecimal digits
    policies = models.JSONField()  # path -> Rego text
    data = models.TextField()  # canonical JSON
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.revision[:19]


class Activation(models.Model):
    """Activation of a revision. Going back is another activation. Append only."""

    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="activations")
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=120)
    activated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.bundle_id[:19]} in force"


class Policy(models.Model):
    """A published policy: checked Rego, named by the SHA-256 of its canonical JSON. Append only.

    A bundle is a policy over the registers as they are; officers' changes of data make new bundles of the same policy.
    """

    digest = models.CharField(max_length=71, primary_key=True)
    modules = models.JSONField()  # path -> Rego text
    tests = models.JSONField(default=dict)
    sample = models.JSONField(default=dict, db_default={})  # stood in for the registers in the tests
    overlay = models.JSONField(default=dict)  # data of its own, added to the registers
    note = models.CharField(max_length=200)
    author = models.CharField(max_length=120)
    author_account = models.BigIntegerField(null=True)  # no foreign key: it stays when the account goes
    checks = models.JSONField(default=dict)  # what it passed
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "policy version"
        verbose_name_plural = "policy versions"

    def __str__(self) -> str:
        return self.digest.removeprefix("sha256:")[:12]


class PolicyActivation(models.Model):
    """Activation of a policy: by whom and why. Going back is another row. Append only."""

    class Kind(models.TextChoices):
        RELEASE = "release", "Shipped with a release"
        APPROVED = "approved", "Approved by a second person"
        SINGLE = "single", "By the only officer"
        EMERGENCY = "emergency", "In an emergency, by one person"
        ROLLBACK = "rollback", "Taken back"

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="activations")
    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    author = models.CharField(max_length=120)  # the policy's, for the constraint below
    author_account = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=120)
    actor_account = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=200)
    activated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="policies_two_persons",
                condition=~models.Q(kind="approved")
                | are_two_persons("author", "author_account", "actor", "actor_account"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.policy_id[7:19]} in force"


class ActiveBundle(models.Model):
    """The one revision in force: a projection of the last activation, read by every decision.

    The same row names the candidate of the open rollout, if there is one, and its share: at 0 it answers no request.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    bundle = models.ForeignKey(Bundle, on_delete=models.PROTECT, related_name="+")
    activated_at = models.DateTimeField()
    candidate = models.ForeignKey(Bundle, on_delete=models.PROTECT, null=True, related_name="+")
    candidate_share = models.PositiveSmallIntegerField(default=0, db_default=0)  # in ten-thousandths of the people
    rollout = models.ForeignKey("policies.Rollout", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(name="policies_one_active_bundle", condition=models.Q(id=1)),
            models.CheckConstraint(
                name="policies_candidate_of_a_rollout",
                condition=models.Q(candidate=None, rollout=None, candidate_share=0)
                | models.Q(candidate__isnull=False, rollout__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.bundle_id[:19]
