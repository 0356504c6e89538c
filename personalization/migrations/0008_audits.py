import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [
        ("model_registry", "0009_audits_suspend"),
        ("personalization", "0007_batches_of_events"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("artifact_sha256", models.CharField(max_length=64)),
                ("audits", models.JSONField(default=list)),
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
                ("step", models.CharField(blank=True, max_length=32)),
                ("steps_done", models.PositiveSmallIntegerField(default=0)),
                ("document", models.JSONField(null=True)),
                ("signature", models.TextField(blank=True)),
                ("error", models.CharField(blank=True, max_length=500)),
                ("author", models.CharField(max_length=160)),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("moved_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="audit_runs",
                        to="model_registry.modelversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit of a model",
                "verbose_name_plural": "audits of models",
                "ordering": ["-requested_at"],
                "indexes": [models.Index(fields=["version", "-requested_at"], name="personalization_audits_of")],
            },
        ),
        migrations.CreateModel(
            name="RegressionCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=64, unique=True)),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("none", "No personalisation"),
                            ("segment", "Segment"),
                            ("behavioral", "Behavioral"),
                            ("contextual", "Contextual"),
                            ("individual", "Individual"),
                        ],
                        default="individual",
                        max_length=16,
                    ),
                ),
                ("region", models.CharField(blank=True, max_length=8)),
                ("age_band", models.CharField(blank=True, max_length=16)),
                ("history", models.JSONField(blank=True, default=list)),
                ("expected", models.JSONField(blank=True, default=list)),
                ("forbidden", models.JSONField(blank=True, default=list)),
                ("reasons", models.JSONField(blank=True, default=list)),
                (
                    "level_used",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("none", "No personalisation"),
                            ("segment", "Segment"),
                            ("behavioral", "Behavioral"),
                            ("contextual", "Contextual"),
                            ("individual", "Individual"),
                        ],
                        max_length=16,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="regression_cases",
                        to="model_registry.model",
                    ),
                ),
            ],
            options={
                "verbose_name": "recorded case",
                "ordering": ["slug"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expected", []), ("forbidden", []), ("level_used", ""), ("reasons", []), _negated=True
                        ),
                        name="personalization_case_expects",
                    )
                ],
            },
        ),
        guard("personalization_regressioncase"),
    ]
