"""What services state of items: texts, price, stock, legal flags; whose they are, and the tags that rules look for."""

import django.core.validators
from django.db import migrations, models


# A category as it is, everything else with a mark; of a promoted item each tag once more, for rules about promotions.
_TAGS = """
CREATE FUNCTION assent_item_tags(
  categories jsonb, flags jsonb, regions jsonb, min_age smallint, stock integer, promoted boolean, removed timestamptz
) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  WITH own (tag) AS (
    SELECT jsonb_array_elements_text(CASE jsonb_typeof(categories) WHEN 'array' THEN categories ELSE '[]' END)
    UNION ALL SELECT '#flag:' || flag FROM jsonb_array_elements_text(flags) flag
    UNION ALL SELECT '#not-in:' || region FROM jsonb_array_elements_text(regions) region
    UNION ALL SELECT '#not-in-part-of:' || split_part(region, '-', 1)
      FROM jsonb_array_elements_text(regions) region WHERE region LIKE '%-%'
    UNION ALL SELECT '#not-everywhere' WHERE regions <> '[]'
    UNION ALL SELECT '#min-age' WHERE min_age IS NOT NULL
    UNION ALL SELECT '#over-18' WHERE min_age > 18
    UNION ALL SELECT '#out-of-stock' WHERE stock = 0
    UNION ALL SELECT '#promoted' WHERE promoted
    UNION ALL SELECT '#removed' WHERE removed IS NOT NULL
  )
  SELECT coalesce(jsonb_agg(tag), '[]') FROM (
    SELECT tag FROM own UNION ALL SELECT '#ad:' || tag FROM own WHERE promoted
  ) every
$$
"""
# Only new names are checked: an item that was named otherwise before can still be switched off.
_NAMES = """
CREATE FUNCTION assent_check_item_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an item is named by 1 to 64 letters, digits and . _ -' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER personalization_item_named BEFORE INSERT OR UPDATE OF slug ON personalization_item
  FOR EACH ROW WHEN (NEW.slug !~ '^[A-Za-z0-9_.-]{1,64}$') EXECUTE FUNCTION assent_check_item_name()
"""
_NAMES_BACK = """
DROP TRIGGER personalization_item_named ON personalization_item;
DROP FUNCTION assent_check_item_name()
"""
_TAGS_BACK = """
DROP FUNCTION assent_item_tags(jsonb, jsonb, jsonb, smallint, integer, boolean, timestamptz)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("personalization", "0013_trainings"),
    ]

    operations = [
        migrations.RunSQL(_TAGS, _TAGS_BACK),
        migrations.RunSQL(_NAMES, _NAMES_BACK),
        migrations.AddField(
            model_name="item",
            name="currency",
            field=models.CharField(blank=True, db_default="", default="", max_length=3),
        ),
        migrations.AddField(
            model_name="item",
            name="description",
            field=models.CharField(blank=True, db_default="", default="", max_length=2000),
        ),
        migrations.AddField(
            model_name="item",
            name="is_editorial",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="item",
            name="is_promoted",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="item",
            name="keeper",
            field=models.CharField(blank=True, db_default="", default="", max_length=96),
        ),
        migrations.AddField(
            model_name="item",
            name="legal_flags",
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="item",
            name="min_age",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="item",
            name="price",
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name="item",
            name="removed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="item",
            name="restricted_regions",
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="item",
            name="stock",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="item",
            name="slug",
            field=models.CharField(
                max_length=64,
                primary_key=True,
                serialize=False,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[A-Za-z0-9_.-]{1,64}\\Z", "Use 1 to 64 letters, digits and . _ - (no blanks, no commas)."
                    )
                ],
            ),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(
                condition=models.Q(("removed_at__isnull", False)),
                fields=["removed_at"],
                name="personalization_item_removed",
            ),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("currency", ""), ("price__isnull", True)),
                    models.Q(("price__gte", 0), models.Q(("currency", ""), _negated=True)),
                    _connector="OR",
                ),
                name="personalization_item_price",
            ),
        ),
        migrations.AddField(
            model_name="item",
            name="tags",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Func(
                    models.F("categories"),
                    models.F("legal_flags"),
                    models.F("restricted_regions"),
                    models.F("min_age"),
                    models.F("stock"),
                    models.F("is_promoted"),
                    models.F("removed_at"),
                    function="assent_item_tags",
                ),
                output_field=models.JSONField(),
            ),
        ),
    ]
