"""Setting a legal hold waits for the deletions in flight (``consent.ledger.holds``)."""

from django.db import migrations

# The number is that of consent.ledger.holds.LOCK. Ordinary saves never set the column, so they never wait.
_FORWARD = """
CREATE FUNCTION assent_hold_takes_its_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1752132708);
  RETURN NEW;
END $$;
CREATE TRIGGER consent_datasubject_hold_begins BEFORE INSERT ON consent_datasubject
  FOR EACH ROW WHEN (NEW.held) EXECUTE FUNCTION assent_hold_takes_its_turn();
CREATE TRIGGER consent_datasubject_hold_is_set BEFORE UPDATE OF held ON consent_datasubject
  FOR EACH ROW WHEN (NEW.held AND NOT OLD.held) EXECUTE FUNCTION assent_hold_takes_its_turn();
"""
_BACKWARD = """
DROP TRIGGER consent_datasubject_hold_begins ON consent_datasubject;
DROP TRIGGER consent_datasubject_hold_is_set ON consent_datasubject;
DROP FUNCTION assent_hold_takes_its_turn();
"""


class Migration(migrations.Migration):
    dependencies = [("consent", "0008_officer_labels")]

    operations = [migrations.RunSQL(_FORWARD, _BACKWARD)]
