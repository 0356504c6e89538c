"""What officers may do is changed by change sets, and by the operator's commands, which name themselves as writers."""

from django.db import migrations

from oversight.guard import guard

# Not the whole row: a sign-in and a new password write it too, and an account is made without rights.
_FLAGS = """
CREATE TRIGGER auth_user_by_change_set AFTER UPDATE ON auth_user FOR EACH ROW
  WHEN ((OLD.is_active, OLD.is_staff, OLD.is_superuser, OLD.username)
        IS DISTINCT FROM (NEW.is_active, NEW.is_staff, NEW.is_superuser, NEW.username))
  EXECUTE FUNCTION assent_refuse_unapproved();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0001_officers_sign_in"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("oversight", "0002_guards"),
    ]
    operations = [
        guard("auth_user_groups", "auth_user_user_permissions"),
        migrations.RunSQL(_FLAGS, "DROP TRIGGER auth_user_by_change_set ON auth_user;"),
    ]
