"""Scope of credentials that keep the catalogue."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0028_rules_of_display"),
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
                        ("requests", "Open and follow requests of people"),
                        ("registers", "Read purposes, jurisdictions and levels"),
                        ("models", "Register models that run elsewhere"),
                        ("metrics", "Read the metrics"),
                        ("opa", "Pull bundles and report, as an OPA server"),
                        ("cells", "Be another cell: pull the rules, and ask for its callers"),
                    ],
                    max_length=24,
                ),
                size=None,
            ),
        ),
    ]
