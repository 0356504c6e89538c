"""Deletion plans are approved by the core of oversight: who decided on each before is carried over."""

from datetime import timedelta
from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone

_VALID_FOR = timedelta(days=7)


def carry_over(apps: Any, _editor: Any) -> None:
    """Write the steps and verdicts of plans that are older than the core, and the work on those that wait."""
    step = apps.get_model("oversight", "Step").objects
    for plan in apps.get_model("privacy", "DeletionPlan").objects.order_by("made_at"):
        named = {"subject": "plan", "object": str(plan.pk)}
        step.create(**named, kind="made", actor=plan.author, account=plan.author_account, at=plan.made_at)
        if plan.state == "proposed" and plan.made_at > timezone.now() - _VALID_FOR:
            _ask(apps, plan)
        elif plan.decided_at is not None:
            kind = plan.state if plan.approver_account else "approved_by_schedule"
            step.create(**named, kind=kind, actor=plan.approver, account=plan.approver_account, at=plan.decided_at)
            _decided(apps, plan, named)


def _decided(apps: Any, plan: Any, named: dict[str, str]) -> None:
    """Write the verdict of an officer on a plan; the schedule alone is none."""
    if plan.approver_account is None:
        return
    plan.decision = apps.get_model("oversight", "Approval").objects.create(
        **named, digest=plan.digest, verdict=plan.state, actor=plan.approver, account=plan.approver_account,
        author_name=plan.author, author=plan.author_account, given_at=plan.decided_at,
    )  # fmt: skip
    plan.save(update_fields=["decision"])


def _ask(apps: Any, plan: Any) -> None:
    item = apps.get_model("oversight", "WorkItem").objects.create(
        kind="plan-approval", object=str(plan.pk), opened_at=plan.made_at, due_at=plan.made_at + timedelta(days=3)
    )
    apps.get_model("oversight", "WorkStep").objects.create(item=item, kind="open", actor=plan.author, at=plan.made_at)


class Migration(migrations.Migration):
    dependencies = [("oversight", "0006_one_core_of_approvals"), ("privacy", "0008_schedules_by_trigger")]

    operations = [
        migrations.AddField(
            "deletionplan", "decision",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="oversight.approval"
            ),
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        # What is deferred of the rows written here is checked now: no table with such checks open can be altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RemoveConstraint("deletionplan", "privacy_plan_by_two_accounts"),
        migrations.RemoveField("deletionplan", "approver"),
        migrations.RemoveField("deletionplan", "approver_account"),
        migrations.RemoveField("deletionplan", "decided_at"),
        migrations.AddConstraint(
            "deletionplan",
            models.CheckConstraint(
                name="privacy_plan_approved",
                condition=~models.Q(state="approved")
                | models.Q(decision__isnull=False)
                | models.Q(document__blockers=[]),
            ),
        ),
    ]  # fmt: skip
