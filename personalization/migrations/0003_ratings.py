"""Ratings keep their value, those below the middle weigh nothing, and no item takes events with it."""

import django.db.models.deletion
from django.db import migrations, models

# A rating weighed its value; one without a value weighed 1, and nobody knows what it meant.
_SPLIT = """
UPDATE personalization_event SET value = weight::int, weight = CASE WHEN weight < 3 THEN 0 ELSE weight END
WHERE kind = 'rating'
"""
_JOIN = "UPDATE personalization_event SET weight = value WHERE kind = 'rating' AND value IS NOT NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("personalization", "0002_feedback"),
    ]

    operations = [
        migrations.AlterField(
            model_name="event",
            name="item",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="personalization.item"),
        ),
        migrations.AddField(
            model_name="event",
            name="value",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.RunSQL(_SPLIT, _JOIN),
    ]
