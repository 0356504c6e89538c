"""Rules of display: a register, written by change sets only."""

from django.db import migrations, models

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [("policies", "0027_models_scope"), ("oversight", "0002_guards")]
    operations = [
        migrations.CreateModel(
            name="DisplayRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=64, unique=True)),
                ("item_categories", models.JSONField(default=list)),
                ("age_bands", models.JSONField(blank=True, default=list)),
                ("regions", models.JSONField(blank=True, default=list)),
                ("purposes", models.JSONField(blank=True, default=list)),
                ("from_day", models.DateField(blank=True, null=True)),
                ("until_day", models.DateField(blank=True, null=True)),
                ("reason", models.CharField(max_length=300)),
            ],
            options={
                "verbose_name": "rule of display",
                "verbose_name_plural": "rules of display",
                "ordering": ["slug"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("item_categories", []), _negated=True), name="policies_display_categories"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("from_day", None),
                            ("until_day", None),
                            ("from_day__lte", models.F("until_day")),
                            _connector="OR",
                        ),
                        name="policies_display_days",
                    ),
                ],
            },
        ),
        guard("policies_displayrule"),
    ]
