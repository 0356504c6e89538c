"""Steps, approvals and the changes of what was proposed are append-only; what a set was is never rewritten."""

from django.db import migrations

from common.append_only import guard, no_truncate

_CHANGES = """
CREATE FUNCTION assent_refuse_fixed_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE number bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.set_id ELSE NEW.set_id END;
BEGIN
  IF (TG_OP = 'UPDATE' AND OLD.set_id <> NEW.set_id)
     OR (SELECT state FROM oversight_changeset WHERE id = number) IS DISTINCT FROM 'draft' THEN
    RAISE EXCEPTION 'change set % is no draft: % of its changes is refused', number, TG_OP
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER oversight_change_fixed BEFORE INSERT OR UPDATE OR DELETE ON oversight_change
  FOR EACH ROW EXECUTE FUNCTION assent_refuse_fixed_change();

CREATE FUNCTION assent_refuse_rewritten_set() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (NEW.author_id, NEW.author_name, NEW.created_at, NEW.undoes_id)
       IS NOT DISTINCT FROM (OLD.author_id, OLD.author_name, OLD.created_at, OLD.undoes_id)
     AND (OLD.state = 'draft' OR NEW.digest = OLD.digest)
     AND (OLD.state IN ('draft', 'proposed') OR NEW.state = OLD.state
          OR (OLD.state = 'in_force' AND NEW.state = 'undone')) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'what change set % was is never rewritten: % is refused', OLD.id, TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER oversight_changeset_fixed BEFORE UPDATE OR DELETE ON oversight_changeset
  FOR EACH ROW EXECUTE FUNCTION assent_refuse_rewritten_set();
"""
_BACK = """
DROP TRIGGER oversight_change_fixed ON oversight_change;
DROP TRIGGER oversight_changeset_fixed ON oversight_changeset;
DROP TRIGGER oversight_change_no_truncate ON oversight_change;
DROP TRIGGER oversight_changeset_no_truncate ON oversight_changeset;
DROP FUNCTION assent_refuse_fixed_change;
DROP FUNCTION assent_refuse_rewritten_set;
"""


class Migration(migrations.Migration):
    dependencies = [("oversight", "0001_change_sets")]
    operations = [
        guard("oversight_setstep", "oversight_approval", "oversight_workstep"),
        migrations.RunSQL(_CHANGES + no_truncate("oversight_change") + no_truncate("oversight_changeset"), _BACK),
    ]
