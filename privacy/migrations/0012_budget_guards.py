"""What was charged is recomputed from the charges and limited by a trigger; budgets and statistics are registers.

A budget that was in force stays, for ever as it was meant, and so does the one statistic that was published under it.
"""

from decimal import Decimal

from django.db import migrations

from oversight.guard import guard

# The orders are those of privacy.budgets.composition; charges hold one divergence for each.
_FUNCTIONS = """
CREATE FUNCTION privacy_window_start(kind text, moment timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE kind WHEN 'ever' THEN '-infinity'::timestamptz ELSE date_trunc(kind, moment, 'UTC') END
$$;

-- What the charges between two moments cost together: the sum of their epsilons, or the bound by Renyi divergence.
CREATE FUNCTION privacy_budget_used(budget bigint, since timestamptz, until timestamptz, at_delta numeric)
RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT least(coalesce((SELECT sum(epsilon) FROM privacy_budgetspend
                         WHERE budget_id = budget AND spent_at BETWEEN since AND until), 0), CASE WHEN at_delta > 0 THEN (
    SELECT greatest(0, min(rho + ln(1 - 1 / a) - (ln(at_delta::float8) + ln(a)) / (a - 1)))::numeric
    FROM (SELECT o.a, sum(coalesce(s.curve[o.n], s.epsilon::float8)) AS rho
          FROM unnest(ARRAY[1.25,1.5,1.75,2,2.5,3,4,5,6,8,10,12,16,20,24,32,48,64,96,128,256,512]::float8[]) WITH ORDINALITY AS o(a, n)
          JOIN privacy_budgetspend AS s ON s.budget_id = budget AND s.spent_at BETWEEN since AND until
          GROUP BY o.a) AS sums) END)
$$;

CREATE FUNCTION privacy_spend_in_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM privacy_privacybudget WHERE id = NEW.budget_id FOR NO KEY UPDATE;
  -- A charge is never dated into an earlier window.
  NEW.spent_at := greatest(NEW.spent_at,
    (SELECT max(spent_at) FROM privacy_budgetspend WHERE budget_id = NEW.budget_id));
  RETURN NEW;
END $$;

CREATE FUNCTION privacy_refuse_overspend() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  kept privacy_privacybudget;
  since timestamptz;
BEGIN
  SELECT * INTO kept FROM privacy_privacybudget WHERE id = NEW.budget_id;
  since := privacy_window_start(kept."window", NEW.spent_at);
  IF privacy_budget_used(kept.id, since, 'infinity', kept.delta) > kept.epsilon_total OR (
      SELECT sum(delta) FROM privacy_budgetspend WHERE budget_id = kept.id AND spent_at >= since) > kept.delta THEN
    RAISE EXCEPTION 'the privacy budget of % is spent', kept.data_set USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER privacy_budgetspend_in_turn BEFORE INSERT ON privacy_budgetspend
  FOR EACH ROW EXECUTE FUNCTION privacy_spend_in_turn();
CREATE TRIGGER privacy_budgetspend_limited AFTER INSERT ON privacy_budgetspend
  FOR EACH ROW EXECUTE FUNCTION privacy_refuse_overspend();
"""
_BACK = """
DROP TRIGGER privacy_budgetspend_limited ON privacy_budgetspend;
DROP TRIGGER privacy_budgetspend_in_turn ON privacy_budgetspend;
DROP FUNCTION privacy_refuse_overspend();
DROP FUNCTION privacy_spend_in_turn();
DROP FUNCTION privacy_budget_used(bigint, timestamptz, timestamptz, numeric);
DROP FUNCTION privacy_window_start(text, timestamptz);
"""


def keep_statistic(apps, schema_editor):
    """Define what was published under a budget of consents, as it was: every night, at 0.5."""
    if apps.get_model("privacy", "PrivacyBudget").objects.filter(data_set="consents").exists():
        apps.get_model("privacy", "Statistic").objects.create(
            slug="consent-rate-by-region",
            title="Consent rate by region",
            data_set="consents",
            kind="rate",
            group_by="region",
            value="consenting",
            epsilon=Decimal("0.5"),
            every="night",
        )


class Migration(migrations.Migration):
    dependencies = [("privacy", "0011_budget_windows"), ("oversight", "0002_guards")]

    operations = [
        migrations.RunSQL(_FUNCTIONS, _BACK),
        migrations.RunPython(keep_statistic, migrations.RunPython.noop),
        guard("privacy_privacybudget", "privacy_statistic"),
    ]
