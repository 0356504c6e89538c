"""Counts of events that went: groups of enough people."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("personalization", "0004_events_by_month")]

    operations = [
        migrations.CreateModel(
            name="EventCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("purpose", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("view", "View"),
                            ("like", "Like"),
                            ("rating", "Rating"),
                            ("purchase", "Purchase"),
                            ("skip", "Not relevant"),
                        ],
                        max_length=8,
                    ),
                ),
                ("entries", models.PositiveIntegerField()),
                ("people", models.PositiveIntegerField()),
                (
                    "item",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to="personalization.item"
                    ),
                ),
            ],
            options={
                "verbose_name": "count of events",
                "verbose_name_plural": "counts of events",
                "ordering": ["-day", "purpose", "kind", "-entries"],
            },
        ),
    ]
