import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [
        ("model_registry", "0007_models_elsewhere"),
    ]

    operations = [
        migrations.CreateModel(
            name="StoppedSegment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("segment", models.CharField(max_length=120)),
                ("reason", models.CharField(max_length=200)),
                ("stopped_on", models.DateField(default=django.utils.timezone.localdate)),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stopped_segments",
                        to="model_registry.model",
                    ),
                ),
            ],
            options={
                "verbose_name": "stopped segment",
                "ordering": ["model", "version", "segment"],
                "constraints": [
                    models.UniqueConstraint(fields=("model", "version", "segment"), name="model_registry_stopped_once"),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="model_registry_stopped_reason"
                    ),
                ],
            },
        ),
        guard("model_registry_stoppedsegment"),
    ]
