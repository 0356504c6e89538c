"""Rules of prices: a register, written by change sets only; and the scope of those who ask for prices."""

import django.contrib.postgres.fields
from django.db import migrations, models

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0034_rules_of_flags"),
    ]

    operations = [
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
                        ("items", "Keep the catalogue"),
                        ("recommendations", "Ask for recommendations"),
                        ("prices", "Ask for prices of one person"),
                        ("requests", "Open and follow requests of people"),
                        ("registers", "Read purposes, jurisdictions and levels"),
                        ("models", "Register models that run elsewhere"),
                        ("releases", "Fetch releases that its party receives"),
                        ("metrics", "Read the metrics"),
                        ("opa", "Pull bundles and report, as an OPA server"),
                        ("cells", "Be another cell: pull the rules, and ask for its callers"),
                    ],
                    max_length=24,
                ),
                size=None,
            ),
        ),
        migrations.CreateModel(
            name="PriceRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=64, unique=True)),
                ("regions", models.JSONField(blank=True, default=list)),
                ("purposes", models.JSONField(blank=True, default=list)),
                ("most_below", models.PositiveSmallIntegerField(default=0)),
                ("most_above", models.PositiveSmallIntegerField(default=0)),
                ("reason", models.CharField(max_length=300)),
            ],
            options={
                "verbose_name": "rule of prices",
                "verbose_name_plural": "rules of prices",
                "ordering": ["slug"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("most_above__lte", 100), ("most_below__lte", 100)),
                        name="policies_price_percent",
                    )
                ],
            },
        ),
        guard("policies_pricerule"),
    ]
