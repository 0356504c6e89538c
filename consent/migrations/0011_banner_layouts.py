"""Layouts of banners as they were served."""

import django.db.models.functions.datetime
from django.db import migrations, models

from common.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("consent", "0010_register_snapshots")]

    operations = [
        migrations.CreateModel(
            name="BannerLayout",
            fields=[
                ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("content", models.TextField()),
                ("first_served_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        guard("consent_bannerlayout"),
    ]
