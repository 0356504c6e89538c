"""Categories that purposes name today become rows; snapshots hold categories, reasons and what transfers rest on."""

import re

from django.db import migrations

from oversight.guard import guard

_SLUG = re.compile(r"[a-z0-9_-]{1,64}")
# What this release knows about the categories of its own defaults, as it was when this migration was made.
_TERMS = {
    "views": ("user.behavior.browsing_history", "BrowsingBehaviour"),
    "purchases": ("user.behavior.purchase_history", "Purchase"),
    "ratings": ("user.behavior", "Opinion"),
    "email_address": ("user.contact.email", "EmailAddress"),
    "postal_address": ("user.contact.address", "PhysicalAddress"),
    "health": ("user.health_and_medical", "Health"),
    "religion": ("user.demographic.religious_belief", "Religion"),
    "ethnicity": ("user.demographic.race_ethnicity", "EthnicOrigin"),
    "political_opinion": ("user.demographic.political_opinion", "PoliticalOpinion"),
    "sexual_orientation": ("user.demographic.sexual_orientation", "SexualPreference"),
    "biometrics": ("user.biometric", "Biometric"),
    "genetics": ("user.health_and_medical.genetic", "Genetic"),
    "union_membership": ("", "TradeUnionMembership"),
}
_HEAD = """
CREATE OR REPLACE FUNCTION assent_register_content(p consent_purpose) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT (jsonb_build_object(
    'purpose', jsonb_build_object(
      'slug', p.slug, 'name', p.name, 'benefit', p.benefit, 'legal_basis', p.legal_basis,
      'data_categories', p.data_categories, 'recipients', p.recipients, 'dpv_purpose', p.dpv_purpose,
      'kept_for', p.kept_for, 'controller', (SELECT slug FROM consent_party WHERE id = p.controller_id)),
    'texts', coalesce((
      SELECT jsonb_agg(jsonb_build_object(
        'locale', locale, 'name', name, 'benefit', benefit, 'kept_for', kept_for) ORDER BY locale)
      FROM consent_purposetext WHERE purpose_id = p.id), '[]'),"""
_NOTICE = """
    'notice', coalesce((
      SELECT jsonb_agg(jsonb_build_object('version', version, 'locale', locale, 'sha256', text_sha256)
        ORDER BY locale)
      FROM consent_notice
      WHERE purpose_id = p.id AND version = (SELECT max(version) FROM consent_notice WHERE purpose_id = p.id)), '[]')
  )"""
# Members that a register leaves empty are left out, so its content stays what it was before them.
_WRITE = (
    _HEAD
    + """
    'parties', coalesce((
      SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'slug', slug, 'role', role, 'name', name, 'address', address, 'country', country, 'email', email,
        'phone', phone, 'url', url, 'transfer_basis', nullif(transfer_basis, ''))) ORDER BY role, name, slug)
      FROM consent_party
      WHERE role IN ('controller', 'joint_controller', 'dpo', 'authority') OR id = p.controller_id
        OR p.recipients ? slug), '[]'),"""
    + _NOTICE
    + """ || coalesce((
      SELECT jsonb_build_object('data', jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'slug', c.slug, 'name', c.name, 'dpv', nullif(c.dpv_term, ''), 'reasons', (
          SELECT jsonb_agg(jsonb_build_object('locale', d.locale, 'reason', d.reason, 'benefit', d.benefit)
            ORDER BY d.locale)
          FROM consent_purposedata d WHERE d.purpose_id = p.id AND d.category_id = c.id))) ORDER BY c.slug))
      FROM consent_datacategory c WHERE p.data_categories ? c.slug HAVING count(*) > 0), '{}'))::text
$$;
CREATE TRIGGER consent_datacategory_snapshot AFTER INSERT OR UPDATE OR DELETE ON consent_datacategory
  FOR EACH STATEMENT EXECUTE FUNCTION assent_snapshot_all();
CREATE TRIGGER consent_purposedata_snapshot AFTER INSERT OR UPDATE OR DELETE ON consent_purposedata
  FOR EACH STATEMENT EXECUTE FUNCTION assent_snapshot_all();
SELECT assent_snapshot_purpose(p) FROM consent_purpose p;
"""
)
_FORGET = (
    """
DROP TRIGGER consent_datacategory_snapshot ON consent_datacategory;
DROP TRIGGER consent_purposedata_snapshot ON consent_purposedata;"""
    + _HEAD
    + """
    'parties', coalesce((
      SELECT jsonb_agg(jsonb_build_object(
        'slug', slug, 'role', role, 'name', name, 'address', address, 'country', country, 'email', email,
        'phone', phone, 'url', url) ORDER BY role, name, slug)
      FROM consent_party
      WHERE role IN ('controller', 'dpo', 'authority') OR id = p.controller_id OR p.recipients ? slug), '[]'),"""
    + _NOTICE
    + """)::text
$$;
"""
)


def _register_kinds(apps, schema_editor):
    """Make a row of every category that a purpose names; a text that can be no name stays for the lint to find."""
    purpose, category = apps.get_model("consent", "Purpose"), apps.get_model("consent", "DataCategory")
    kinds = {kind for kinds in purpose.objects.values_list("data_categories", flat=True) for kind in kinds}
    for kind in sorted(kind for kind in kinds if _SLUG.fullmatch(kind)):
        key, term = _TERMS.get(kind, ("", ""))
        category.objects.create(slug=kind, name=kind.replace("_", " "), fideslang_key=key, dpv_term=term)


class Migration(migrations.Migration):
    dependencies = [("consent", "0014_data_categories")]

    operations = [
        migrations.RunPython(_register_kinds, migrations.RunPython.noop),
        migrations.RunSQL(_WRITE, _FORGET),
        guard("consent_datacategory", "consent_datacategorytext", "consent_purposedata"),
    ]
