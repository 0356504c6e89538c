"""Models whose engine runs elsewhere: who registers them, and what a version is known by."""

from django.db import migrations, models

_TABLE = "model_registry_modelversion"
# What a version is known by changes with a named writer only, as what it may do.
_GUARDED = f"""
CREATE TRIGGER {_TABLE}_registration BEFORE UPDATE OF label, endpoint, registered_sha256 ON {_TABLE}
  FOR EACH STATEMENT EXECUTE FUNCTION assent_refuse_unapproved();
"""


class Migration(migrations.Migration):
    dependencies = [("model_registry", "0006_life_cycle")]
    operations = [
        migrations.AddField(
            "model", "registrant", models.CharField(blank=True, default="", editable=False, max_length=120)
        ),
        migrations.AlterField("model", "registrant", models.CharField(blank=True, editable=False, max_length=120)),
        migrations.AddField(
            "modelversion", "label", models.CharField(blank=True, default="", editable=False, max_length=64)
        ),
        migrations.AlterField("modelversion", "label", models.CharField(blank=True, editable=False, max_length=64)),
        migrations.AddField(
            "modelversion", "endpoint", models.CharField(blank=True, default="", editable=False, max_length=400)
        ),
        migrations.AlterField("modelversion", "endpoint", models.CharField(blank=True, editable=False, max_length=400)),
        migrations.AddField(
            "modelversion",
            "registered_sha256",
            models.BinaryField(blank=True, default=b"", editable=False, max_length=32),
        ),
        migrations.AlterField(
            "evidence",
            "kind",
            models.CharField(
                choices=[("training", "Training"), ("audit", "Audit"), ("stated", "Stated by its operator")],
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            "modelversion",
            models.UniqueConstraint(
                fields=["model", "label"], condition=~models.Q(label=""), name="model_registry_label"
            ),
        ),
        migrations.RunSQL(_GUARDED, f"DROP TRIGGER {_TABLE}_registration ON {_TABLE}"),
    ]
