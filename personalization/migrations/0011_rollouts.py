"""Rollouts of versions of the recommender, and counts of what both sides answered."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("model_registry", "0011_canary"),
        ("oversight", "0006_one_core_of_approvals"),
        ("personalization", "0010_monitors"),
    ]

    operations = [
        migrations.CreateModel(
            name="ModelRollout",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_by", models.CharField(max_length=120)),
                ("reason", models.CharField(max_length=200)),
                ("share", models.PositiveSmallIntegerField(default=0)),
                ("guards", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Running"),
                            ("completed", "In force for everybody"),
                            ("stopped", "Stopped by an officer"),
                            ("rolled_back", "Rolled back by a guard"),
                            ("overtaken", "Ended because other rules came into force"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("watched_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_by", models.CharField(blank=True, max_length=120)),
                ("why", models.CharField(blank=True, max_length=500)),
                ("started_account", models.BigIntegerField(null=True)),
                ("share_set_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("figures", models.JSONField(null=True)),
                (
                    "approval",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="oversight.approval",
                    ),
                ),
                (
                    "live",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="model_registry.modelversion"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rollouts",
                        to="model_registry.modelversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "rollout of a model",
                "verbose_name_plural": "rollouts of models",
                "ordering": ["-id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RolloutCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "side",
                    models.CharField(
                        choices=[
                            ("candidate", "Candidate"),
                            ("live", "Live version"),
                            ("shadow", "Candidate, compared and not shown"),
                        ],
                        max_length=9,
                    ),
                ),
                ("minute", models.DateTimeField()),
                ("answers", models.PositiveIntegerField()),
                ("fallbacks", models.PositiveIntegerField()),
                ("failures", models.PositiveIntegerField()),
                ("dropped", models.PositiveIntegerField()),
                (
                    "levels",
                    django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None),
                ),
                (
                    "took",
                    django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None),
                ),
                (
                    "overlap",
                    django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None),
                ),
                (
                    "agreement",
                    django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None),
                ),
                (
                    "score",
                    django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None),
                ),
                (
                    "rollout",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counts",
                        to="personalization.modelrollout",
                    ),
                ),
            ],
            options={
                "ordering": ["minute"],
            },
        ),
        migrations.AddConstraint(
            model_name="modelrollout",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")), fields=("version",), name="personalization_one_open_rollout"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelrollout",
            constraint=models.CheckConstraint(
                condition=models.Q(("share", 0), ("approval__isnull", False), _connector="OR"),
                name="personalization_rollout_approved",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelrollout",
            constraint=models.CheckConstraint(
                condition=models.Q(("share__lte", 5000)), name="personalization_rollout_share"
            ),
        ),
        migrations.AddConstraint(
            model_name="rolloutcount",
            constraint=models.UniqueConstraint(
                fields=("rollout", "side", "minute"), name="personalization_rollout_count"
            ),
        ),
    ]
