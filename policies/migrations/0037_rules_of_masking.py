"""Rules of masking: a register, written by change sets only."""

from django.db import migrations, models

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0036_frequency_caps"),
    ]

    operations = [
        migrations.CreateModel(
            name="MaskRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=64, unique=True)),
                ("item_fields", models.JSONField(default=list)),
                ("age_bands", models.JSONField(blank=True, default=list)),
                ("regions", models.JSONField(blank=True, default=list)),
                ("purposes", models.JSONField(blank=True, default=list)),
                ("reason", models.CharField(max_length=300)),
            ],
            options={
                "verbose_name": "rule of masking",
                "verbose_name_plural": "rules of masking",
                "ordering": ["slug"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("item_fields", []), _negated=True), name="policies_mask_fields"
                    )
                ],
            },
        ),
        guard("policies_maskrule"),
    ]
