import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("personalization", "0011_rollouts"),
    ]

    operations = [
        migrations.CreateModel(
            name="CreatorOptOut",
            fields=[
                ("creator", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("since", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "verbose_name": "creator who opted out",
                "verbose_name_plural": "creators who opted out",
                "ordering": ["creator"],
            },
        ),
        migrations.AddField(
            model_name="item",
            name="creator",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(
                condition=models.Q(("creator", ""), _negated=True),
                fields=["creator"],
                name="personalization_item_creator",
            ),
        ),
        migrations.AddConstraint(
            model_name="creatoroptout",
            constraint=models.CheckConstraint(
                condition=models.Q(("creator", ""), _negated=True), name="personalization_optout_creator"
            ),
        ),
    ]
