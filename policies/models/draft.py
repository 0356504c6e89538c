from django.db import models
from django.utils import timezone

from policies.models.bundle import Policy


class PolicyDraft(models.Model):
    """An officer's draft of a policy, based on a published one. Nothing is decided by it."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="drafts")  # where it began
    account = models.BigIntegerField()  # the author's; no foreign key, as for a policy: no id is used again
    files = models.JSONField()  # name -> text, as typed: modules, tests, sample.json, data.json
    # What the last check found: {"of": digest of the files, "findings", "passed", "coverage", "opa"}
    report = models.JSONField(null=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-changed_at"]
        constraints = [models.UniqueConstraint(fields=["policy", "account"], name="policies_one_draft_each")]

    def __str__(self) -> str:
        return f"draft of {self.policy_id.removeprefix('sha256:')[:12]}"
