"""Snapshots of the register, written by triggers, and a first one of every purpose there is."""

import django.db.models.functions.datetime
from django.db import migrations, models

from common.append_only import guard

_WRITE = """
CREATE FUNCTION assent_register_content(p consent_purpose) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'purpose', jsonb_build_object(
      'slug', p.slug, 'name', p.name, 'benefit', p.benefit, 'legal_basis', p.legal_basis,
      'data_categories', p.data_categories, 'recipients', p.recipients, 'dpv_purpose', p.dpv_purpose,
      'kept_for', p.kept_for, 'controller', (SELECT slug FROM consent_party WHERE id = p.controller_id)),
    'texts', coalesce((
      SELECT jsonb_agg(jsonb_build_object(
        'locale', locale, 'name', name, 'benefit', benefit, 'kept_for', kept_for) ORDER BY locale)
      FROM consent_purposetext WHERE purpose_id = p.id), '[]'),
    'parties', coalesce((
      SELECT jsonb_agg(jsonb_build_object(
        'slug', slug, 'role', role, 'name', name, 'address', address, 'country', country, 'email', email,
        'phone', phone, 'url', url) ORDER BY role, name, slug)
      FROM consent_party
      WHERE role IN ('controller', 'dpo', 'authority') OR id = p.controller_id OR p.recipients ? slug), '[]'),
    'notice', coalesce((
      SELECT jsonb_agg(jsonb_build_object('version', version, 'locale', locale, 'sha256', text_sha256)
        ORDER BY locale)
      FROM consent_notice
      WHERE purpose_id = p.id AND version = (SELECT max(version) FROM consent_notice WHERE purpose_id = p.id)), '[]')
  )::text
$$;
CREATE FUNCTION assent_snapshot_purpose(p consent_purpose) RETURNS void LANGUAGE sql AS $$
  INSERT INTO consent_registersnapshot (purpose, digest, content, taken_at)
  SELECT p.slug, encode(sha256(convert_to(now_said.content, 'UTF8')), 'hex'), now_said.content, clock_timestamp()
  FROM (SELECT assent_register_content(p) AS content) now_said
  WHERE now_said.content IS DISTINCT FROM (
    SELECT content FROM consent_registersnapshot WHERE purpose = p.slug ORDER BY id DESC LIMIT 1)
$$;
CREATE FUNCTION assent_snapshot_this() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assent_snapshot_purpose(NEW);
  RETURN NULL;
END $$;
CREATE FUNCTION assent_snapshot_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assent_snapshot_purpose(p) FROM consent_purpose p;
  RETURN NULL;
END $$;
CREATE TRIGGER consent_purpose_snapshot AFTER INSERT OR UPDATE ON consent_purpose
  FOR EACH ROW EXECUTE FUNCTION assent_snapshot_this();
CREATE TRIGGER consent_purposetext_snapshot AFTER INSERT OR UPDATE OR DELETE ON consent_purposetext
  FOR EACH STATEMENT EXECUTE FUNCTION assent_snapshot_all();
CREATE TRIGGER consent_party_snapshot AFTER INSERT OR UPDATE OR DELETE ON consent_party
  FOR EACH STATEMENT EXECUTE FUNCTION assent_snapshot_all();
CREATE TRIGGER consent_notice_snapshot AFTER INSERT ON consent_notice
  FOR EACH STATEMENT EXECUTE FUNCTION assent_snapshot_all();
SELECT assent_snapshot_purpose(p) FROM consent_purpose p;
"""
_FORGET = """
DROP TRIGGER consent_purpose_snapshot ON consent_purpose;
DROP TRIGGER consent_purposetext_snapshot ON consent_purposetext;
DROP TRIGGER consent_party_snapshot ON consent_party;
DROP TRIGGER consent_notice_snapshot ON consent_notice;
DROP FUNCTION assent_snapshot_all();
DROP FUNCTION assent_snapshot_this();
DROP FUNCTION assent_snapshot_purpose(consent_purpose);
DROP FUNCTION assent_register_content(consent_purpose);
"""


class Migration(migrations.Migration):
    dependencies = [("consent", "0009_holds_take_turns")]

    operations = [
        migrations.CreateModel(
            name="RegisterSnapshot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("purpose", models.SlugField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("content", models.TextField()),
                ("taken_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "ordering": ["purpose", "id"],
                "indexes": [models.Index(fields=["purpose", "-id"], name="consent_snapshot_newest")],
            },
        ),
        guard("consent_registersnapshot"),
        migrations.RunSQL(_WRITE, _FORGET),
    ]
