"""Canaries: a version that serves a share of the people next to the live one, drawn by its rollout."""

from django.db import migrations, models

from oversight.guard import guard, let_migration_write

_TABLE = "model_registry_modelversion"
_COLUMNS = ("model_id", "version", "max_level", "status", "approved_until")
_UNGUARD = f"DROP TRIGGER {_TABLE}_by_change_set ON {_TABLE}"
# Back: an older release knows no canary, and would let it serve everybody if it were approved.
_IN_REVIEW = f"""
UPDATE {_TABLE} SET status = 'in_review', canary_share = 0, canary_rollout = NULL, approved_until = NULL
WHERE status = 'canary'
"""


class Migration(migrations.Migration):
    dependencies = [("model_registry", "0010_files_and_signature")]
    operations = [
        migrations.AddField(
            "modelversion", "canary_share", models.PositiveSmallIntegerField(default=0, editable=False)
        ),
        migrations.AddField("modelversion", "canary_rollout", models.BigIntegerField(editable=False, null=True)),
        migrations.AlterField(
            "modelversion",
            "status",
            models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("in_review", "In review"),
                    ("approved", "Approved"),
                    ("canary", "Canary"),
                    ("live", "Live"),
                    ("suspended", "Suspended"),
                    ("retired", "Retired"),
                ],
                default="draft",
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            "modelversion",
            models.UniqueConstraint(
                condition=models.Q(status="canary"), fields=["model"], name="model_registry_one_canary"
            ),
        ),
        migrations.AddConstraint(
            "modelversion",
            models.CheckConstraint(
                condition=models.Q(status="canary", canary_rollout__isnull=False, canary_share__lte=10_000)
                | (~models.Q(status="canary") & models.Q(canary_rollout__isnull=True, canary_share=0)),
                name="model_registry_canary_rolls_out",
            ),
        ),
        migrations.RunSQL(_UNGUARD, guard(_TABLE, columns=_COLUMNS).sql),
        guard(_TABLE, columns=(*_COLUMNS, "canary_share", "canary_rollout")),
        migrations.RunSQL(migrations.RunSQL.noop, _IN_REVIEW),
        let_migration_write(),
    ]
