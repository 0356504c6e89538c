"""No account, group or permission comes or goes but by a change set, a command of the operator, or a page that says so.

A new permission grants no account anything, and Django writes it after each migration: its insertion stays free.
"""

from django.db import migrations

from oversight.guard import guard

_ROWS = """
CREATE TRIGGER auth_user_rows_by_change_set BEFORE INSERT OR DELETE OR TRUNCATE ON auth_user
  FOR EACH STATEMENT EXECUTE FUNCTION assent_refuse_unapproved();
CREATE TRIGGER auth_permission_by_change_set BEFORE UPDATE OR DELETE OR TRUNCATE ON auth_permission
  FOR EACH STATEMENT EXECUTE FUNCTION assent_refuse_unapproved();
"""
_BACK = """
DROP TRIGGER auth_user_rows_by_change_set ON auth_user;
DROP TRIGGER auth_permission_by_change_set ON auth_permission;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0002_rights_by_change_sets")]
    operations = [guard("auth_group", "auth_group_permissions"), migrations.RunSQL(_ROWS, _BACK)]
