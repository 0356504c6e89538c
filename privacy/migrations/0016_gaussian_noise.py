"""Gaussian noise: charges with a delta add up by their divergences also beyond the sum of their deltas."""

from django.db import migrations, models

# The orders are those of privacy.budgets.composition. The basic bound holds while the deltas add up to no more than the
# budget's; the Renyi bound for any number of charges, as each with a delta of its own has its divergences.
_USED = """
CREATE OR REPLACE FUNCTION privacy_budget_used(budget bigint, since timestamptz, until timestamptz, at_delta numeric)
RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT coalesce(least(
    (SELECT CASE WHEN coalesce(sum(delta), 0) <= at_delta THEN coalesce(sum(epsilon), 0) END FROM privacy_budgetspend
     WHERE budget_id = budget AND spent_at BETWEEN since AND until),
    CASE WHEN at_delta > 0 THEN (
    SELECT greatest(0, min(rho + ln(1 - 1 / a) - (ln(at_delta::float8) + ln(a)) / (a - 1)))::numeric
    FROM (SELECT o.a, sum(coalesce(s.curve[o.n], s.epsilon::float8)) AS rho
          FROM unnest(ARRAY[1.25,1.5,1.75,2,2.5,3,4,5,6,8,10,12,16,20,24,32,48,64,96,128,256,512]::float8[]) WITH ORDINALITY AS o(a, n)
          JOIN privacy_budgetspend AS s ON s.budget_id = budget AND s.spent_at BETWEEN since AND until
          GROUP BY o.a) AS sums) END), 'Infinity')
$$;

CREATE OR REPLACE FUNCTION privacy_refuse_overspend() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  kept privacy_privacybudget;
  since timestamptz;
BEGIN
  SELECT * INTO kept FROM privacy_privacybudget WHERE id = NEW.budget_id;
  since := privacy_window_start(kept."window", NEW.spent_at);
  IF privacy_budget_used(kept.id, since, 'infinity', kept.delta) > kept.epsilon_total THEN
    RAISE EXCEPTION 'the privacy budget of % is spent', kept.data_set USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("privacy", "0015_table_releases")]

    operations = [
        migrations.AddField(
            model_name="statistic",
            name="mechanism",
            field=models.CharField(
                choices=[
                    ("geometric", "Geometric: pure epsilon"),
                    ("gaussian", "Gaussian: epsilon at the budget's delta"),
                ],
                db_default="geometric",
                default="geometric",
                max_length=12,
                verbose_name="noise",
            ),
        ),
        migrations.AddConstraint(
            model_name="budgetspend",
            constraint=models.CheckConstraint(
                condition=models.Q(("delta", 0), ("curve__isnull", False), _connector="OR"),
                name="privacy_spend_delta_has_divergences",
            ),
        ),
        migrations.RunSQL(_USED, migrations.RunSQL.noop),
    ]
