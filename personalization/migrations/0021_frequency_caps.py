"""Days on which items were shown to people, for frequency caps."""

import django.contrib.postgres.fields
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("personalization", "0020_features"),
    ]

    operations = [
        migrations.CreateModel(
            name="Showing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_ref", models.UUIDField()),
                ("purpose", models.CharField(max_length=64)),
                ("item", models.CharField(max_length=64)),
                ("days", django.contrib.postgres.fields.ArrayField(base_field=models.DateField(), size=None)),
                ("received_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["-received_at"],
                "indexes": [models.Index(fields=["purpose", "received_at", "id"], name="personalization_showing_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("subject_ref", "purpose", "item"), name="personalization_shown")
                ],
            },
        ),
    ]
