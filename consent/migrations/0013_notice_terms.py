"""Terms of notice versions, frozen by triggers as a purpose is made and as a version is published.

The versions of an older installation get theirs from its bundles (migration 0019 of policies).
"""

import django.db.models.functions.datetime
from django.db import migrations, models

from common.append_only import guard

_WRITE = """
-- The package that keeps retention schedules replaces this one.
CREATE FUNCTION assent_retention_days(purpose_id bigint) RETURNS integer LANGUAGE sql STABLE AS
  'SELECT NULL::integer';
CREATE FUNCTION assent_sorted_words(list jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_agg(word ORDER BY word COLLATE "C"), '[]')
  FROM (SELECT DISTINCT jsonb_array_elements_text(list) AS word) words
$$;
CREATE FUNCTION assent_purpose_terms(p consent_purpose) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'data_categories', assent_sorted_words(p.data_categories),
    'recipients', assent_sorted_words(p.recipients),
    'channels', assent_sorted_words(p.channels),
    'actions', assent_sorted_words(p.actions),
    'max_level', p.max_level,
    'broader', (SELECT slug FROM consent_purpose WHERE id = p.parent_id),
    'controller', coalesce(
      (SELECT slug FROM consent_party WHERE id = p.controller_id),
      (SELECT slug FROM consent_party WHERE role = 'controller' ORDER BY name, slug LIMIT 1)),
    'retention_days', assent_retention_days(p.id)
  )::text
$$;
CREATE FUNCTION assent_freeze_terms(p consent_purpose, version integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO consent_noticeterms (purpose, version, content, sha256)
  SELECT p.slug, $2, said.content, encode(sha256(convert_to(said.content, 'UTF8')), 'hex')
  FROM (SELECT assent_purpose_terms(p) AS content) said
  ON CONFLICT DO NOTHING
$$;
CREATE FUNCTION assent_freeze_first_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assent_freeze_terms(NEW, 0);
  RETURN NULL;
END $$;
CREATE FUNCTION assent_freeze_notice_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assent_freeze_terms(p, NEW.version) FROM consent_purpose p WHERE p.id = NEW.purpose_id;
  RETURN NULL;
END $$;
CREATE TRIGGER consent_purpose_terms AFTER INSERT ON consent_purpose
  FOR EACH ROW EXECUTE FUNCTION assent_freeze_first_terms();
CREATE TRIGGER consent_notice_terms AFTER INSERT ON consent_notice
  FOR EACH ROW EXECUTE FUNCTION assent_freeze_notice_terms();
"""
_FORGET = """
DROP TRIGGER consent_purpose_terms ON consent_purpose;
DROP TRIGGER consent_notice_terms ON consent_notice;
DROP FUNCTION assent_freeze_first_terms();
DROP FUNCTION assent_freeze_notice_terms();
DROP FUNCTION assent_freeze_terms(consent_purpose, integer);
DROP FUNCTION assent_purpose_terms(consent_purpose);
DROP FUNCTION assent_sorted_words(jsonb);
DROP FUNCTION assent_retention_days(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("consent", "0012_registers_by_change_sets")]

    operations = [
        migrations.CreateModel(
            name="NoticeTerms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("purpose", models.SlugField(max_length=64)),
                ("version", models.PositiveIntegerField()),
                ("content", models.TextField()),
                ("sha256", models.CharField(max_length=64)),
                ("frozen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name": "terms of a notice version",
                "verbose_name_plural": "terms of notice versions",
                "ordering": ["purpose", "version"],
            },
        ),
        migrations.AddConstraint(
            model_name="noticeterms",
            constraint=models.UniqueConstraint(fields=["purpose", "version"], name="consent_terms_of_version"),
        ),
        guard("consent_noticeterms"),
        migrations.RunSQL(_WRITE, _FORGET),
    ]
