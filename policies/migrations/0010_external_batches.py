from django.db import migrations, models

from common.append_only import guard_until_old

# Until now nothing could be deleted; from now on what is old can.
_UNGUARD = """
DROP TRIGGER policies_externaldecision_append_only ON policies_externaldecision;
DROP TRIGGER policies_externaldecision_no_truncate ON policies_externaldecision;
"""
_GUARD = """
CREATE TRIGGER policies_externaldecision_append_only BEFORE UPDATE OR DELETE ON policies_externaldecision
  FOR EACH ROW EXECUTE FUNCTION assent_refuse_change();
CREATE TRIGGER policies_externaldecision_no_truncate BEFORE TRUNCATE ON policies_externaldecision
  FOR EACH STATEMENT EXECUTE FUNCTION assent_refuse_change();
"""
# The days that exist; the drainer does it for those to come.
_PARTITIONS = """
DO $$
DECLARE part text;
BEGIN
  FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'policies_decision'::regclass LOOP
    EXECUTE format('CREATE TRIGGER %s_no_truncate BEFORE TRUNCATE ON %s
      FOR EACH STATEMENT EXECUTE FUNCTION assent_refuse_change()', part, part);
  END LOOP;
END $$;
"""
_PARTITIONS_BACK = """
DO $$
DECLARE part text;
BEGIN
  FOR part IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'policies_decision'::regclass LOOP
    EXECUTE format('DROP TRIGGER IF EXISTS %s_no_truncate ON %s', part, part);
  END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("policies", "0009_simulation_reports"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExternalBatch",
            fields=[
                ("sequence", models.BigIntegerField(primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField()),
                ("caller", models.CharField(max_length=120)),
                ("decision_count", models.PositiveIntegerField()),
                ("root", models.BinaryField(max_length=32)),
                ("previous", models.BinaryField(max_length=32)),
                ("digest", models.BinaryField(max_length=32)),
            ],
            options={
                "ordering": ["-sequence"],
            },
        ),
        migrations.AddField(
            model_name="externaldecision",
            name="batch_id",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="externaldecision",
            name="position",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="externaldecision",
            index=models.Index(fields=["batch_id", "position"], name="policies_external_of_batch"),
        ),
        migrations.RunSQL(_UNGUARD, _GUARD),
        guard_until_old(
            {"policies_externaldecision": "received_at", "policies_externalbatch": "created_at"}, "30 days"
        ),
        migrations.RunSQL(_PARTITIONS, _PARTITIONS_BACK),
    ]
