"""The groups of a version that a person of its training is in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("personalization", "0018_online_features")]
    operations = [
        migrations.AddField(
            model_name="snapshotperson",
            name="readable",
            field=models.CharField(db_default="", default="", max_length=120),
        ),
        migrations.AddField(
            model_name="snapshotperson",
            name="taste",
            field=models.CharField(db_default="", default="", max_length=120),
        ),
    ]
