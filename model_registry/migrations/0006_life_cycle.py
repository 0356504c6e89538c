"""Life cycle of versions: the one that served is live, older ones stay approved; a status has a writer."""

from django.db import migrations, models

from oversight.guard import guard, let_migration_write

# The newest approved version of a model was the one that served (docs/decisions/0008).
_LIVE = """
UPDATE model_registry_modelversion v SET status = 'live' WHERE status = 'approved' AND version = (
  SELECT max(version) FROM model_registry_modelversion o WHERE o.model_id = v.model_id AND o.status = 'approved')
"""
# Back: nothing serves that did not, as the newest approved one will.
_APPROVED = """
UPDATE model_registry_modelversion v SET status = 'draft' WHERE status = 'in_review' OR (status = 'approved' AND
  NOT EXISTS (SELECT FROM model_registry_modelversion o
    WHERE o.model_id = v.model_id AND o.status = 'live' AND o.version > v.version));
UPDATE model_registry_modelversion SET status = 'approved' WHERE status = 'live'
"""
_ONE = "CREATE UNIQUE INDEX model_registry_one_live ON model_registry_modelversion (model_id) WHERE status = 'live'"
_TABLE = "model_registry_modelversion"
_COLUMNS = ("model_id", "version", "max_level")
_UNGUARD = f"DROP TRIGGER {_TABLE}_by_change_set ON {_TABLE}"


class Migration(migrations.Migration):
    dependencies = [("model_registry", "0005_gates")]
    operations = [
        migrations.AddField("modelversion", "approved_until", models.DateField(blank=True, null=True)),
        migrations.AlterField(
            "modelversion",
            "status",
            models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("in_review", "In review"),
                    ("approved", "Approved"),
                    ("live", "Live"),
                    ("suspended", "Suspended"),
                    ("retired", "Retired"),
                ],
                default="draft",
                max_length=12,
            ),
        ),
        let_migration_write(),
        migrations.RunSQL(_LIVE, _APPROVED),
        migrations.RunSQL(_ONE, "DROP INDEX model_registry_one_live"),
        migrations.RunSQL(_UNGUARD, guard(_TABLE, columns=_COLUMNS).sql),
        guard(_TABLE, columns=(*_COLUMNS, "status", "approved_until")),
    ]
