"""Editors' picks in the general list, and pairs of items that many people bought."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("personalization", "0014_items")]
    operations = [
        migrations.AddField(
            model_name="popularitem", name="is_pick", field=models.BooleanField(db_default=False, default=False)
        ),
        migrations.CreateModel(
            name="AlsoBought",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.PositiveSmallIntegerField()),
                ("people", models.PositiveIntegerField()),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="personalization.item",
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="personalization.item"
                    ),
                ),
            ],
            options={
                "verbose_name": "pair of items bought by the same people",
                "verbose_name_plural": "pairs of items bought by the same people",
                "ordering": ["item", "place"],
                "constraints": [
                    models.UniqueConstraint(fields=("item", "place"), name="personalization_also_bought_place")
                ],
            },
        ),
    ]
