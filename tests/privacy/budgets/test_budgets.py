"""A privacy budget: charged once per release, never beyond its total, never given back."""

import threading
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit.models import AuditEvent
from privacy.budgets import releases
from privacy.models import BudgetSpend, PrivacyBudget
from tests.helpers.polling import until_waiting_for_locks


@pytest.fixture
def budget(db):
    return PrivacyBudget.objects.create(data_set="consents", epsilon_total=Decimal("1.0"))


def _spend(key, epsilon="0.4"):
    return releases.spend(data_set="consents", epsilon=Decimal(epsilon), release_key=key, actor="test")


def _spent(budget):
    budget.refresh_from_db()
    return budget.epsilon_spent


@pytest.mark.django_db
def test_a_release_is_charged_and_audited(budget):
    charge = _spend("monday")

    assert (charge.epsilon, _spent(budget), budget.epsilon_left) == (Decimal("0.4"), Decimal("0.4"), Decimal("0.6"))
    event = AuditEvent.objects.get(action="budget.spent")
    assert (event.object, event.details) == ("consents", {"epsilon": "0.4", "release": "monday"})


@pytest.mark.django_db
def test_the_same_release_is_charged_once(budget):
    assert _spend("monday") == _spend("monday")

    assert _spent(budget) == Decimal("0.4")
    assert AuditEvent.objects.filter(action="budget.spent").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data_set", "epsilon"), [("visits", "0.4"), ("consents", "0.5"), ("consents", "0.3"), ("unheard_of", "0.4")]
)
def test_a_key_serves_for_its_data_set_and_epsilon_only(budget, data_set, epsilon):
    """The kind: a charge that is found by its name alone pays for something it was never charged for."""
    PrivacyBudget.objects.create(data_set="visits", epsilon_total=Decimal("1.0"))
    _spend("monday")

    with pytest.raises(releases.ReleaseKeyTaken):
        releases.spend(data_set=data_set, epsilon=Decimal(epsilon), release_key="monday", actor="test")

    assert BudgetSpend.objects.count() == 1
    assert _spent(budget) == Decimal("0.4")


@pytest.mark.django_db
def test_the_same_epsilon_in_other_digits_is_the_same_charge(budget):
    assert _spend("monday", "0.40") == _spend("monday", "0.4000")


@pytest.mark.django_db
def test_without_a_budget_nothing_is_charged():
    with pytest.raises(releases.NoBudget, match="none has been set"):
        _spend("monday")

    assert not BudgetSpend.objects.exists()


@pytest.mark.django_db
def test_a_budget_can_be_spent_to_the_last_and_no_further(budget):
    for key, epsilon in (("monday", "0.4"), ("tuesday", "0.6")):
        _spend(key, epsilon)

    with pytest.raises(releases.BudgetExhausted) as refused:
        _spend("wednesday", "0.0001")

    assert (refused.value.code, refused.value.status) == ("budget_exhausted", 409)
    assert _spent(budget) == Decimal("1.0")
    assert BudgetSpend.objects.count() == 2


@pytest.mark.django_db
def test_what_does_not_fit_is_not_charged_in_part(budget):
    _spend("monday", "0.8")

    with pytest.raises(releases.BudgetExhausted):
        _spend("tuesday", "0.4")

    assert _spent(budget) == Decimal("0.8")
    assert not AuditEvent.objects.filter(details__release="tuesday").exists()


@pytest.mark.django_db
def test_a_spent_budget_still_knows_what_it_was_charged_for(budget):
    charge = _spend("monday", "1.0")

    assert _spend("monday", "1.0") == charge


@pytest.mark.django_db
@pytest.mark.parametrize("epsilon", ["0", "-0.1", "0.00004", "0.10001", "NaN", "Infinity"])
def test_a_charge_that_is_none_is_refused(budget, epsilon):
    _spend("monday")

    with pytest.raises(ValueError, match="decimal places"):
        _spend("tuesday", epsilon)

    assert _spent(budget) == Decimal("0.4")
    assert BudgetSpend.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("spent", ["-0.1", "1.1"])
def test_the_database_holds_a_budget_within_its_bounds(budget, spent):
    with pytest.raises(IntegrityError, match="privacy_budget_not_overspent"), transaction.atomic():
        PrivacyBudget.objects.update(epsilon_spent=Decimal(spent))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    ["UPDATE privacy_budgetspend SET epsilon = 0.1", "DELETE FROM privacy_budgetspend"],
)
def test_a_charge_is_never_given_back(budget, statement):
    _spend("monday")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement)


def _at_the_same_time(calls):
    """Hold the budget's row until every call waits for it, then let them go; return what each came to."""
    outcomes = []

    def run(call):
        try:
            outcomes.append(call())
        except releases.BudgetExhausted as refused:
            outcomes.append(refused)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    with transaction.atomic():
        PrivacyBudget.objects.select_for_update().get()
        for thread in threads:
            thread.start()
        until_waiting_for_locks(len(calls))
    for thread in threads:
        thread.join(timeout=30)
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_spend_the_same_epsilon(budget):
    outcomes = _at_the_same_time([lambda: _spend("monday", "0.6"), lambda: _spend("tuesday", "0.6")])

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BudgetExhausted", "BudgetSpend"]
    assert _spent(budget) == Decimal("0.6")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_for_one_release_are_charged_once(budget):
    outcomes = _at_the_same_time([lambda: _spend("monday"), lambda: _spend("monday")])

    assert outcomes[0] == outcomes[1]
    assert _spent(budget) == Decimal("0.4")
