import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [
        ("model_registry", "0008_stopped_segments"),
        ("personalization", "0009_snapshots"),
    ]

    operations = [
        migrations.CreateModel(
            name="TrainingReference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("inputs", models.JSONField(default=dict)),
                ("scores", models.JSONField(default=list)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="training_reference",
                        to="model_registry.modelversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "reference of a training",
            },
        ),
        migrations.CreateModel(
            name="ItemExposure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("item", models.CharField(max_length=64)),
                ("shown", models.PositiveBigIntegerField()),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="model_registry.modelversion",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["day"], name="personalization_shown_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("version", "day", "item"), name="personalization_shown_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="MonitorObjective",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=64, unique=True)),
                ("monitor", models.CharField(max_length=32)),
                ("limit", models.DecimalField(decimal_places=4, max_digits=12)),
                ("suspends_after", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "model",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="model_registry.model",
                    ),
                ),
            ],
            options={
                "verbose_name": "objective of a monitor",
                "verbose_name_plural": "objectives of monitors",
                "ordering": ["slug"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("monitor", "model"), name="personalization_one_objective", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("suspends_after", None), ("suspends_after__gte", 1), _connector="OR"),
                        name="personalization_objective_days",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MonitorResult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("monitor", models.CharField(max_length=32)),
                ("part", models.CharField(blank=True, max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("within", "Within"),
                            ("beyond", "Beyond"),
                            ("too_few", "Too few to say"),
                            ("unknown", "Nothing to compare with"),
                            ("watched", "No objective"),
                        ],
                        max_length=8,
                    ),
                ),
                ("value", models.FloatField(null=True)),
                ("samples", models.PositiveBigIntegerField(default=0)),
                ("p", models.FloatField(null=True)),
                ("limit", models.FloatField(null=True)),
                ("figures", models.JSONField(default=dict)),
                ("measured_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="model_registry.modelversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "result of a monitor",
                "verbose_name_plural": "results of monitors",
                "ordering": ["version", "-day", "monitor", "part"],
                "indexes": [models.Index(fields=["day"], name="personalization_measured_day")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("version", "day", "monitor", "part"), name="personalization_measured_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ServedCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("name", models.CharField(max_length=100)),
                ("numbers", django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="model_registry.modelversion",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["day"], name="personalization_served_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("version", "day", "name"), name="personalization_served_once")
                ],
            },
        ),
        guard("personalization_monitorobjective"),
    ]
