"""Indexes of the decision log's filters and of the start page's figures."""

from django.db import migrations

# The outcomes of a day are read off the last index alone: a row of the log is long.
_INDEXES = """
CREATE INDEX policies_decision_of_caller ON policies_decision (caller, id);
CREATE INDEX policies_decision_undecided ON policies_decision (id) WHERE outcome = 'unknown';
CREATE INDEX policies_decision_outcomes ON policies_decision (id) INCLUDE (outcome, reasons);
"""
_BACK = """
DROP INDEX policies_decision_of_caller;
DROP INDEX policies_decision_undecided;
DROP INDEX policies_decision_outcomes;
"""


class Migration(migrations.Migration):
    dependencies = [("policies", "0021_requests_scope")]

    operations = [migrations.RunSQL(_INDEXES, _BACK)]
