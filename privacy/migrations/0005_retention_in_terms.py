"""Let the terms of a notice version name how long data is kept: the schedule in use when it was published."""

from django.db import migrations

_READ = """
CREATE OR REPLACE FUNCTION assent_retention_days(purpose_id bigint) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT (extract(epoch FROM s.retain_for) / 86400)::integer FROM privacy_retentionschedule s
  WHERE s.purpose_id = $1 AND s.is_active
$$;
"""
_FORGET = """
CREATE OR REPLACE FUNCTION assent_retention_days(purpose_id bigint) RETURNS integer LANGUAGE sql STABLE AS
  'SELECT NULL::integer';
"""


class Migration(migrations.Migration):
    dependencies = [("privacy", "0004_retention_by_change_sets"), ("consent", "0013_notice_terms")]

    operations = [migrations.RunSQL(_READ, _FORGET)]
