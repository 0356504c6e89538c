"""Rules of display about flags and promotions, and rules that let flagged items be shown."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0033_releases_scope"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="displayrule",
            name="policies_display_categories",
        ),
        migrations.AddField(
            model_name="displayrule",
            name="effect",
            field=models.CharField(
                choices=[("hide", "Hide"), ("show", "Show, where no other rule hides")],
                db_default="hide",
                default="hide",
                max_length=4,
            ),
        ),
        migrations.AddField(
            model_name="displayrule",
            name="item_flags",
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="displayrule",
            name="promotions_only",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="displayrule",
            name="item_categories",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddConstraint(
            model_name="displayrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("item_categories", []), _negated=True),
                    models.Q(("item_flags", []), _negated=True),
                    ("promotions_only", True),
                    _connector="OR",
                ),
                name="policies_display_items",
            ),
        ),
        migrations.AddConstraint(
            model_name="displayrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("effect", "hide"),
                    models.Q(
                        ("age_bands", []),
                        ("effect", "show"),
                        ("item_categories", []),
                        ("promotions_only", False),
                        models.Q(("item_flags", []), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="policies_display_shown",
            ),
        ),
    ]
