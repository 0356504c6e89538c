import django.utils.timezone
import uuid
from django.db import migrations, models


# "Why was this denied": the log by reason. Partitions to come inherit it.
_BY_REASON = "CREATE INDEX policies_decision_by_reason ON policies_decision USING gin (reasons)"


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0008_opa_servers"),
    ]

    operations = [
        migrations.CreateModel(
            name="SimulationReport",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("candidate", models.CharField(max_length=71)),
                ("base", models.CharField(blank=True, max_length=71)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("at_most", models.PositiveIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("decisions_expected", models.PositiveBigIntegerField(null=True)),
                ("decisions_read", models.PositiveBigIntegerField(default=0)),
                ("counts", models.JSONField(default=dict)),
                ("document", models.JSONField(null=True)),
                ("error", models.CharField(blank=True, max_length=500)),
                ("author", models.CharField(max_length=120)),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("moved_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-requested_at"],
                "indexes": [models.Index(fields=["candidate", "-finished_at"], name="policies_simulation_of")],
            },
        ),
        migrations.RunSQL(_BY_REASON, "DROP INDEX policies_decision_by_reason"),
    ]
