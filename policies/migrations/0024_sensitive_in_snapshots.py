"""Snapshots of the register hold the register of sensitive categories, so receipts name them as they stood.

The table is this package's, so what its own registers say is kept under another name and completed here.
"""

from django.db import migrations

_WRITE = """
ALTER FUNCTION assent_register_content(consent_purpose) RENAME TO assent_purpose_content;
CREATE FUNCTION assent_register_content(p consent_purpose) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT (assent_purpose_content(p)::jsonb || jsonb_build_object(
    'sensitive', coalesce((SELECT jsonb_agg(slug ORDER BY slug) FROM policies_sensitivecategory), '[]')))::text
$$;
CREATE TRIGGER policies_sensitivecategory_snapshot AFTER INSERT OR UPDATE OR DELETE ON policies_sensitivecategory
  FOR EACH STATEMENT EXECUTE FUNCTION assent_snapshot_all();
SELECT assent_snapshot_purpose(p) FROM consent_purpose p;
"""
_FORGET = """
DROP TRIGGER policies_sensitivecategory_snapshot ON policies_sensitivecategory;
DROP FUNCTION assent_register_content(consent_purpose);
ALTER FUNCTION assent_purpose_content(consent_purpose) RENAME TO assent_register_content;
"""


class Migration(migrations.Migration):
    dependencies = [("policies", "0023_credentials_by_change_sets"), ("consent", "0017_kept_people")]
    operations = [migrations.RunSQL(_WRITE, _FORGET)]
