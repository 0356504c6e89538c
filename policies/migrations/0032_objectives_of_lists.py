"""Rules of ranking weigh the objectives of personal lists, and bound shares of their places."""

import django.core.validators
from django.db import migrations, models
from django.db.models import F, Q

_small = models.PositiveSmallIntegerField


class Migration(migrations.Migration):
    dependencies = [("policies", "0031_lists_of_groups")]
    operations = [
        *(
            migrations.AddField("rankingrule", name, _small(default=0, db_default=0))
            for name in ("variety", "novelty", "balance")
        ),
        migrations.AddField(
            "rankingrule",
            "tried_share",
            _small(default=0, db_default=0, validators=[django.core.validators.MaxValueValidator(20)]),
        ),
        migrations.AddField(
            "rankingrule",
            "small_creator_share",
            _small(default=0, db_default=0, validators=[django.core.validators.MaxValueValidator(50)]),
        ),
        migrations.AddField(
            "rankingrule",
            "small_creator_items",
            _small(default=5, db_default=5, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AddConstraint(
            "rankingrule",
            models.CheckConstraint(
                name="policies_ranking_weights", condition=Q(variety__lte=90 - F("novelty") - F("balance"))
            ),
        ),
        migrations.AddConstraint(
            "rankingrule",
            models.CheckConstraint(
                name="policies_ranking_shares",
                condition=Q(tried_share__lte=20, small_creator_share__lte=50) & Q(small_creator_items__gte=1),
            ),
        ),
    ]
