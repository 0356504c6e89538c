"""Frequency caps: a register, written by change sets only."""

from django.db import migrations, models

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0035_rules_of_prices"),
    ]

    operations = [
        migrations.CreateModel(
            name="FrequencyCap",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=64, unique=True)),
                (
                    "about",
                    models.CharField(
                        choices=[("items", "Every item"), ("promotions", "Promoted items")],
                        default="promotions",
                        max_length=10,
                    ),
                ),
                ("purposes", models.JSONField(blank=True, default=list)),
                ("most", models.PositiveSmallIntegerField()),
                ("days", models.PositiveSmallIntegerField()),
                ("reason", models.CharField(max_length=300)),
            ],
            options={
                "verbose_name": "frequency cap",
                "ordering": ["slug"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("days__gte", 1), ("days__lte", 31), ("most__gte", 1), ("most__lte", 100)),
                        name="policies_cap_bounds",
                    )
                ],
            },
        ),
        guard("policies_frequencycap"),
    ]
