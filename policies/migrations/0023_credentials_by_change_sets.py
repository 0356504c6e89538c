"""Which service may call is changed by change sets; a token is made once, and what was revoked stays revoked."""

from django.db import migrations, models

from oversight.guard import guard

_NUMBERS = """
UPDATE policies_servicecredential SET number = numbered.number FROM (
  SELECT id, row_number() OVER (PARTITION BY name ORDER BY id) AS number FROM policies_servicecredential
) numbered WHERE numbered.id = policies_servicecredential.id;
"""
_FINAL = """
CREATE FUNCTION assent_refuse_second_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.token_hash IS NOT NULL AND NEW.token_hash IS DISTINCT FROM OLD.token_hash THEN
    RAISE EXCEPTION 'the token of a credential is made once' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
    RAISE EXCEPTION 'a credential that was revoked stays revoked' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER policies_servicecredential_final BEFORE UPDATE ON policies_servicecredential
  FOR EACH ROW EXECUTE FUNCTION assent_refuse_second_token();
"""
_BACK = """
DROP TRIGGER policies_servicecredential_final ON policies_servicecredential;
DROP FUNCTION assent_refuse_second_token;
"""


class Migration(migrations.Migration):
    dependencies = [("policies", "0022_searched_decisions"), ("oversight", "0002_guards")]
    operations = [
        migrations.AddField(
            "servicecredential", "number", models.PositiveIntegerField(default=1, db_default=1, editable=False)
        ),
        migrations.AlterField(
            "servicecredential", "token_hash", models.BinaryField(max_length=32, unique=True, null=True)
        ),
        migrations.AlterField("servicecredential", "expires_at", models.DateTimeField(verbose_name="ends")),
        migrations.AlterField("servicecredential", "revoked_at", models.DateTimeField(null=True, blank=True)),
        migrations.AlterModelOptions(
            "servicecredential", {"ordering": ["name", "number"], "verbose_name": "service credential"}
        ),
        migrations.RunSQL(_NUMBERS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "servicecredential", models.UniqueConstraint(fields=("name", "number"), name="policies_credential_number")
        ),
        guard(
            "policies_servicecredential",
            columns=("name", "number", "scopes", "repeatable_answers", "created_at", "expires_at", "revoked_at"),
        ),
        migrations.RunSQL(_FINAL, _BACK),
    ]
