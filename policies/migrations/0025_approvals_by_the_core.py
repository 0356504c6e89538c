"""Policies and rollouts are approved by the core of oversight: what was approved and done before is carried over."""

from datetime import timedelta
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

_STEPS = {
    "release": "shipped", "approved": "activated", "emergency": "activated_in_emergency", "rollback": "brought_back",
}  # fmt: skip
_DAYS = {"policy-review": 1, "rollout-review": 1, "rollout-approval": 3}


def carry_over(apps: Any, _editor: Any) -> None:
    """Write the steps, approvals and open work of policies and rollouts that are older than the core."""
    _Older(apps).write()


class _Older:
    def __init__(self, apps: Any) -> None:
        self._approval, self._step = apps.get_model("oversight", "Approval"), apps.get_model("oversight", "Step")
        self._item, self._note = apps.get_model("oversight", "WorkItem"), apps.get_model("oversight", "WorkStep")
        self._policies = apps.get_model("policies", "Policy").objects.order_by("created_at")
        self._activations = apps.get_model("policies", "PolicyActivation").objects.order_by("id")
        self._rollouts = apps.get_model("policies", "Rollout").objects.order_by("id")

    def write(self) -> None:
        for policy in self._policies.exclude(author="system").defer("modules", "tests", "sample", "overlay"):
            self._took(
                "policy", policy.pk, "published", policy.author, policy.created_at, policy.note, policy.author_account
            )
        last = None
        for last in self._activations:
            self._activated(last)
        if last is not None and last.kind == "emergency":
            self._waits("policy-review", last.policy_id, last.actor, last.activated_at)
        for rollout in self._rollouts:
            self._rolled_out(rollout)

    def _took(
        self, subject: str, key: Any, kind: str, actor: str, at: Any, note: str, account: int | None = None
    ) -> None:
        self._step.objects.create(
            subject=subject, object=str(key), kind=kind, actor=actor, account=account, at=at, note=note,
            is_alone=kind.endswith("in_emergency"),
        )  # fmt: skip

    def _approved(self, subject: str, key: Any, digest: str, **more: Any) -> Any:
        return self._approval.objects.create(
            subject=subject, object=str(key), digest=digest, verdict="approved", **more
        )

    def _waits(self, kind: str, key: Any, actor: str, since: Any) -> None:
        due = since + timedelta(days=_DAYS[kind])
        item = self._item.objects.create(kind=kind, object=str(key), opened_at=since, due_at=due)
        self._note.objects.create(item=item, kind="open", actor=actor, at=since)

    def _activated(self, row: Any) -> None:
        self._took(
            "policy", row.policy_id, _STEPS[row.kind], row.actor, row.activated_at, row.reason, row.actor_account
        )
        if row.kind == "approved":
            self._approved(
                "policy", row.policy_id, row.policy_id, actor=row.actor, account=row.actor_account,
                author_name=row.author, author=row.author_account, reason=row.reason, given_at=row.activated_at,
            )  # fmt: skip

    def _rolled_out(self, rollout: Any) -> None:
        for step in rollout.steps.order_by("id"):
            self._took("rollout", rollout.pk, _kind(rollout, step), step.actor, step.at, step.why or _share(step))
        if rollout.approved_by:
            widened = rollout.steps.filter(kind="widened").order_by("id").first()
            rollout.approval = self._approved(
                "rollout", rollout.pk, rollout.policy_id, actor=rollout.approved_by, account=rollout.approved_account,
                author_name=rollout.author, author=rollout.author_account,
                given_at=widened.at if widened else rollout.started_at,
            )  # fmt: skip
            rollout.save(update_fields=["approval"])
        if rollout.state == "open":
            self._asks(rollout)

    def _asks(self, rollout: Any) -> None:
        if rollout.approval is None:
            self._waits("rollout-approval", rollout.pk, rollout.started_by, rollout.started_at)
        if rollout.in_emergency:
            self._waits("rollout-review", rollout.pk, rollout.started_by, rollout.started_at)


def _kind(rollout: Any, step: Any) -> str:
    if step.kind == "ended":
        return str(rollout.state)
    return "started_in_emergency" if step.kind == "started" and rollout.in_emergency else str(step.kind)


def _share(step: Any) -> str:
    return f"{step.share / 100:g} %" if step.kind in ("widened", "narrowed") else ""


class Migration(migrations.Migration):
    dependencies = [("oversight", "0006_one_core_of_approvals"), ("policies", "0024_sensitive_in_snapshots")]

    operations = [
        migrations.AlterField(
            "policyactivation", "kind",
            models.CharField(
                choices=[
                    ("release", "Shipped with a release"),
                    ("approved", "Approved by a second person"),
                    ("single", "By the only officer"),
                    ("emergency", "In an emergency, by one person"),
                    ("rollback", "Taken back"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddField(
            "rollout", "approval",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="oversight.approval"
            ),
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        # What is deferred of the rows written here is checked now: no table with such checks open can be altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RemoveConstraint("rollout", "policies_rollout_two_persons"),
        migrations.RemoveField("rollout", "author"),
        migrations.RemoveField("rollout", "author_account"),
        migrations.RemoveField("rollout", "approved_by"),
        migrations.RemoveField("rollout", "approved_account"),
        migrations.RemoveField("rolloutstep", "actor"),
        migrations.RemoveField("rolloutstep", "why"),
        migrations.AddConstraint(
            "rollout",
            models.CheckConstraint(
                name="policies_rollout_approved", condition=models.Q(share=0) | models.Q(approval__isnull=False)
            ),
        ),
    ]  # fmt: skip
