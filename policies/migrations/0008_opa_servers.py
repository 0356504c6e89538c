import django.contrib.postgres.fields
from django.db import migrations, models

from common.append_only import guard


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0007_processing_systems"),
    ]

    operations = [
        migrations.CreateModel(
            name="OpaInstance",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("caller", models.CharField(max_length=120)),
                ("bundle_revision", models.CharField(blank=True, max_length=71)),
                ("activated_at", models.DateTimeField(null=True)),
                (
                    "errors",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=300), size=None),
                ),
                ("heard_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "OPA server",
                "ordering": ["-heard_at"],
            },
        ),
        migrations.AlterField(
            model_name="servicecredential",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("decisions", "Ask the decision API"),
                        ("consents", "Save and read consents"),
                        ("subject_links", "Issue dashboard links"),
                        ("events", "Send events"),
                        ("recommendations", "Ask for recommendations"),
                        ("metrics", "Read the metrics"),
                        ("opa", "Pull bundles and report, as an OPA server"),
                    ],
                    max_length=24,
                ),
                size=None,
            ),
        ),
        migrations.CreateModel(
            name="ExternalDecision",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("decided_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("instance", models.CharField(max_length=64)),
                ("caller", models.CharField(max_length=120)),
                ("bundle_revision", models.CharField(blank=True, max_length=71)),
                ("path", models.CharField(max_length=120)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("permit", "Permitted"),
                            ("deny", "Not permitted"),
                            ("unknown", "Could not be decided"),
                        ],
                        max_length=8,
                    ),
                ),
                ("level", models.CharField(blank=True, max_length=16)),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=48), size=None),
                ),
                ("facts", models.JSONField()),
            ],
            options={
                "verbose_name": "decision of an OPA server",
                "verbose_name_plural": "decisions of OPA servers",
                "ordering": ["-received_at"],
                "indexes": [models.Index(fields=["-received_at"], name="policies_external_by_time")],
            },
        ),
        guard("policies_externaldecision"),
    ]
