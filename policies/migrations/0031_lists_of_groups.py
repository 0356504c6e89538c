"""Rules of ranking say whose list the level of groups serves."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("policies", "0030_rules_of_ranking")]
    operations = [
        migrations.AddField(
            model_name="rankingrule",
            name="segment_list",
            field=models.CharField(
                choices=[
                    ("region_age", "By region and age band"),
                    ("readable", "By what people choose most, and how many things they chose"),
                    ("taste", "By taste: groups of at least 50 people"),
                ],
                db_default="region_age",
                default="region_age",
                max_length=16,
            ),
        ),
    ]
