"""Legal holds, restrictions of processing, and the people under them; both registers are written by change sets."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from oversight.guard import guard


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0005_retention_in_terms"),
        ("consent", "0016_limits_by_purpose"),
        ("oversight", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=64, unique=True, verbose_name="reference")),
                ("reason", models.CharField(max_length=500)),
                ("people", models.JSONField(blank=True, default=list, help_text="Pseudonyms.")),
                ("purposes", models.JSONField(blank=True, default=list)),
                ("starts_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="from")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                ("is_released", models.BooleanField(default=False, verbose_name="released")),
                (
                    "matter",
                    models.CharField(
                        help_text="The claim, inquiry or order that the data is kept for.", max_length=200
                    ),
                ),
                ("regions", models.JSONField(blank=True, default=list)),
                ("age_bands", models.JSONField(blank=True, default=list)),
                ("chose_about", models.JSONField(blank=True, default=list)),
                ("data_sets", models.JSONField(blank=True, default=list)),
            ],
            options={
                "verbose_name": "legal hold",
                "ordering": ["is_released", "-starts_at", "slug"],
            },
        ),
        migrations.CreateModel(
            name="Restriction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=64, unique=True, verbose_name="reference")),
                ("reason", models.CharField(max_length=500)),
                ("people", models.JSONField(blank=True, default=list, help_text="Pseudonyms.")),
                ("purposes", models.JSONField(blank=True, default=list)),
                ("starts_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="from")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                ("is_released", models.BooleanField(default=False, verbose_name="released")),
                (
                    "ground",
                    models.CharField(
                        choices=[
                            ("accuracy", "Accuracy contested (a)"),
                            ("unlawful", "Unlawful, erasure opposed (b)"),
                            ("claims", "Needed by the person for a claim (c)"),
                            ("objection", "Objection being verified (d)"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "informed_on",
                    models.DateField(
                        blank=True,
                        help_text="Before a restriction is released, the person is informed (Article 18(3)).",
                        null=True,
                        verbose_name="person informed on",
                    ),
                ),
            ],
            options={
                "ordering": ["is_released", "-starts_at", "slug"],
            },
        ),
        migrations.CreateModel(
            name="HoldMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ref", models.UUIDField()),
                ("purpose", models.CharField(blank=True, db_default="", default="", max_length=64)),
                ("data_set", models.CharField(blank=True, db_default="", default="", max_length=64)),
                ("added_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "hold",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="privacy.hold",
                    ),
                ),
                (
                    "restriction",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="privacy.restriction",
                    ),
                ),
            ],
            options={
                "verbose_name": "person under a hold",
                "verbose_name_plural": "people under holds",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("ref", "hold", "restriction", "purpose", "data_set"),
                        name="privacy_holdmember_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("hold", None), ("restriction__isnull", False)),
                            models.Q(("hold__isnull", False), ("restriction", None)),
                            _connector="OR",
                        ),
                        name="privacy_holdmember_of_one",
                    ),
                ],
            },
        ),
        guard("privacy_hold", "privacy_restriction"),
    ]
