"""Approvals and steps of whatever takes two officers: the rows of change sets name their subject by kind and key."""

from django.db import migrations, models

from oversight.models.approvals import are_two_persons

_SUBJECT = {"max_length": 40, "default": "changes"}
# The rows are append-only for everybody but this migration, which says of each what it said by a link.
_FILL = """
ALTER TABLE oversight_approval DISABLE TRIGGER USER;
ALTER TABLE oversight_step DISABLE TRIGGER USER;
UPDATE oversight_approval a SET
  actor = coalesce((SELECT 'officer:' || u.username FROM auth_user u WHERE u.id = a.account), ''),
  author_name = (SELECT s.author_name FROM oversight_changeset s WHERE s.id::text = a.object);
UPDATE oversight_step p SET is_alone = true, account = s.author_id FROM oversight_changeset s
WHERE s.id::text = p.object AND p.kind IN ('applied_in_emergency', 'applied_protectively', 'applied_as_relaxed');
ALTER TABLE oversight_approval ENABLE TRIGGER USER;
ALTER TABLE oversight_step ENABLE TRIGGER USER;
ALTER TRIGGER oversight_setstep_append_only ON oversight_step RENAME TO oversight_step_append_only;
ALTER TRIGGER oversight_setstep_no_truncate ON oversight_step RENAME TO oversight_step_no_truncate;
"""


def _names_its_subject(model: str) -> list[migrations.operations.base.Operation]:
    return [
        migrations.AlterField(model, "set", models.CharField(max_length=200)),
        migrations.RenameField(model, "set", "object"),
        migrations.AddField(model, "subject", models.CharField(**_SUBJECT)),
        migrations.AlterField(model, "subject", models.CharField(max_length=40)),
    ]


class Migration(migrations.Migration):
    dependencies = [("oversight", "0005_relaxed_registers")]

    operations = [
        migrations.RemoveConstraint("approval", "oversight_two_persons"),
        migrations.RenameModel("SetStep", "Step"),
        *_names_its_subject("approval"),
        *_names_its_subject("step"),
        migrations.AlterField("approval", "digest", models.CharField(max_length=80)),
        migrations.AlterField(
            "approval", "account",
            models.BigIntegerField(null=True, help_text="Null: from before accounts were recorded."),
        ),
        migrations.AlterField("approval", "author", models.BigIntegerField(null=True)),
        migrations.AddField("approval", "actor", models.CharField(max_length=160, default="")),
        migrations.AddField("approval", "author_name", models.CharField(max_length=160, default="")),
        migrations.AlterField("step", "kind", models.CharField(max_length=40)),
        migrations.AddField("step", "account", models.BigIntegerField(null=True)),
        migrations.AddField("step", "is_alone", models.BooleanField(default=False)),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AlterField("approval", "actor", models.CharField(max_length=160)),
        migrations.AlterField("approval", "author_name", models.CharField(max_length=160)),
        migrations.AddConstraint(
            "approval",
            models.CheckConstraint(
                name="oversight_two_persons",
                condition=models.Q(is_single=True) | are_two_persons("author_name", "author", "actor", "account"),
            ),
        ),
        migrations.AddIndex("approval", models.Index(fields=["subject", "object"], name="oversight_approval_of")),
        migrations.AddIndex("step", models.Index(fields=["subject", "object", "id"], name="oversight_step_of")),
        migrations.RemoveField("changeset", "reviewed_at"),
    ]  # fmt: skip
