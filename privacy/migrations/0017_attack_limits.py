"""Limits of what attacks on a release may find; guessing of sensitive values is limited as shipped."""

import django.core.validators
from django.db import migrations, models

from oversight.guard import let_migration_write

_THOUSANDTHS = django.core.validators.MaxValueValidator(1000)


class Migration(migrations.Migration):
    dependencies = [("privacy", "0016_gaussian_noise")]

    operations = [
        let_migration_write(),
        migrations.AddField(
            model_name="disclosurelimits",
            name="inferred_at_most",
            field=models.PositiveSmallIntegerField(default=200, validators=[_THOUSANDTHS]),
        ),
        migrations.AddField(
            model_name="disclosurelimits",
            name="singled_out_at_most",
            field=models.PositiveSmallIntegerField(default=1000, validators=[_THOUSANDTHS]),
        ),
    ]
