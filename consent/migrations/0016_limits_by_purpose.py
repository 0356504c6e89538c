"""Holds and restrictions of single purposes stand in the person's row."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0015_data_in_snapshots"),
    ]

    operations = [
        migrations.AddField(
            model_name="datasubject",
            name="limits",
            field=models.JSONField(db_default={}, default=dict, editable=False),
        ),
    ]
