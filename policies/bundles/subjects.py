"""Policies and rollouts as subjects of approvals: what the second officer answers for is the policy, by its digest."""

from django.contrib.admin.utils import quote
from django.urls import reverse

from common.canonical import digest_of
from oversight.approvals.subjects import Kind, Subject
from policies.models import Policy, Rollout

PUBLISH, ACTIVATE = "policies.add_policy", "policies.add_policyactivation"


def of_policy(policy: Policy) -> Subject:
    """Return a policy as what a second officer approves."""
    return Subject(
        kind=POLICY.slug,
        key=policy.digest,
        digest=policy.digest,
        title=f"Policy {policy}",
        author=policy.author,
        account=policy.author_account,
        reason=policy.note,
    )


def of_rollout(rollout: Rollout) -> Subject:
    """Return a rollout as what a second officer approves: its policy, for more people than its share is of now."""
    seen = {"policy": rollout.policy_id, "share": rollout.share, "rollout": rollout.pk}
    return Subject(
        kind=ROLLOUT.slug,
        key=str(rollout.pk),
        digest=digest_of(seen).hex(),
        title=f"Rollout of policy {rollout.policy}",
        author=rollout.policy.author,
        account=rollout.policy.author_account,
        reason=rollout.reason,
        trail_object=rollout.policy_id,
    )


POLICY = Kind(
    slug="policy",
    noun="policy",
    right=ACTIVATE,
    load=lambda key: of_policy(Policy.objects.defer("modules", "tests", "sample", "overlay").get(pk=key)),
    url=lambda key: reverse("admin:policies_policy_change", args=[quote(key)]),
    waits="Policy to approve",
    reviewed="A policy was activated in an emergency",
)
ROLLOUT = Kind(
    slug="rollout",
    noun="rollout",
    right=ACTIVATE,
    load=lambda key: of_rollout(Rollout.objects.select_related("policy").get(pk=key)),
    url=lambda key: reverse("rollout", args=[key]),
    waits="Rollout to approve",
    reviewed="A rollout was begun in an emergency",
)
