"""Register of tables of other databases that releases may be made of."""

import django.contrib.postgres.fields
import django.core.validators
from django.db import migrations, models

from oversight.guard import guard

_IDENTIFIER = django.core.validators.RegexValidator(
    r"\A[^\x00-\x1f\x7f]+\Z", "A name of the database has no control characters."
)
_DATABASE = django.core.validators.RegexValidator(r"\A[a-z][a-z0-9-]{0,31}\Z")


class Migration(migrations.Migration):
    dependencies = [
        ("oversight", "0006_one_core_of_approvals"),
        ("privacy", "0019_pseudonyms"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExternalTable",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=64, unique=True, verbose_name="reference")),
                ("title", models.CharField(max_length=120)),
                ("connection", models.CharField(max_length=32, validators=[_DATABASE], verbose_name="database")),
                ("schema", models.CharField(default="public", max_length=63, validators=[_IDENTIFIER])),
                (
                    "relation",
                    models.CharField(max_length=63, validators=[_IDENTIFIER], verbose_name="table or view"),
                ),
                (
                    "person",
                    models.CharField(max_length=63, validators=[_IDENTIFIER], verbose_name="column of the person"),
                ),
                (
                    "row_key",
                    models.CharField(max_length=63, validators=[_IDENTIFIER], verbose_name="column of the row"),
                ),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=63, validators=[_IDENTIFIER]), size=None
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
            ],
            options={
                "verbose_name": "external table",
                "ordering": ["slug"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("connection", "schema", "relation"),
                        name="privacy_external_table_once",
                        violation_error_message="This table is registered under another reference.",
                    )
                ],
            },
        ),
        guard("privacy_externaltable"),
    ]
