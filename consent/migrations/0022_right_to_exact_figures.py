"""Exact figures of people's choices are read under a right of their own."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("consent", "0021_shown_ids")]

    operations = [
        migrations.AlterModelOptions(
            name="dailycount",
            options={
                "ordering": ["-day", "what"],
                "permissions": [("view_exactfigures", "Can view exact figures of people's choices")],
            },
        ),
    ]
