from django.db import migrations

# Partitioned by day through the time in the identifier (UUID version 7), so that one unique index on the id is enough
# and old days leave by dropping a table.
_TABLE = """
CREATE TABLE policies_decision (
  id uuid PRIMARY KEY,
  decided_at timestamptz NOT NULL,
  batch_id bigint NOT NULL,
  position integer NOT NULL,
  subject_tag bytea NOT NULL,
  caller varchar(120) NOT NULL,
  action varchar(16) NOT NULL,
  purpose varchar(64) NOT NULL,
  outcome varchar(8) NOT NULL,
  level varchar(16) NOT NULL,
  reasons varchar(48)[] NOT NULL,
  bundle_revision varchar(71) NOT NULL,
  entry text NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX policies_decision_of_subject ON policies_decision (subject_tag, id DESC);
CREATE INDEX policies_decision_of_batch ON policies_decision (batch_id, position);
CREATE INDEX policies_decision_by_time ON policies_decision USING brin (decided_at);
"""


class Migration(migrations.Migration):
    dependencies = [("policies", "0001_initial")]

    operations = [migrations.RunSQL(_TABLE, "DROP TABLE policies_decision")]
