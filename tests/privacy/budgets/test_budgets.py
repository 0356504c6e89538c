"""A privacy budget: charged once per release, never beyond its total in a window, never given back."""

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from privacy.budgets import ledger
from privacy.budgets.composition import composed, concentrated, discrete_laplace, pure
from privacy.budgets.mechanisms import Gaussian
from privacy.models import BudgetSpend, PrivacyBudget
from tests.helpers.polling import until_waiting_for_locks


@pytest.fixture
def budget(db):
    return PrivacyBudget.objects.create(data_set="consents", epsilon_total=Decimal("1.0"))


def _charge(key, epsilon="0.4", *, data_set="consents", statistic="people", curve=None, delta=Decimal(0)):
    return ledger.Charge(data_set, statistic, key, Decimal(epsilon), curve or pure(0.4), delta)


def _spend(key, epsilon="0.4", **more):
    return ledger.reserve(_charge(key, epsilon, **more), actor="test")


def _spent(budget):
    budget.refresh_from_db()
    return ledger.balance(budget).spent


@pytest.fixture
def at(monkeypatch):
    """Let a block of the test run at a day."""

    def move(day):
        monkeypatch.setattr(timezone, "now", lambda: datetime.fromisoformat(day).replace(tzinfo=UTC))

    return move


@pytest.mark.django_db
def test_a_release_is_charged_and_audited(budget):
    charge = _spend("monday")

    assert (charge.epsilon, _spent(budget), ledger.balance(budget).left) == (
        Decimal("0.4"),
        Decimal("0.4"),
        Decimal("0.6"),
    )
    event = AuditEvent.objects.get(action="budget.spent")
    assert (event.object, event.details) == ("consents", {"epsilon": "0.4", "release": "monday", "statistic": "people"})


@pytest.mark.django_db
def test_the_same_release_is_charged_once(budget):
    assert _spend("monday") == _spend("monday")

    assert _spent(budget) == Decimal("0.4")
    assert AuditEvent.objects.filter(action="budget.spent").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [{"data_set": "visits"}, {"epsilon": "0.5"}, {"epsilon": "0.3"}, {"data_set": "unheard_of"}, {"statistic": "ages"}],
)
def test_a_key_serves_for_what_it_was_charged_for_only(budget, other):
    """The kind: a charge that is found by its name alone pays for something it was never charged for."""
    PrivacyBudget.objects.create(data_set="visits", epsilon_total=Decimal("1.0"))
    _spend("monday")

    with pytest.raises(ledger.ReleaseKeyTaken):
        _spend("monday", **other)

    assert BudgetSpend.objects.count() == 1
    assert _spent(budget) == Decimal("0.4")


@pytest.mark.django_db
def test_the_same_epsilon_in_other_digits_is_the_same_charge(budget):
    assert _spend("monday", "0.40") == _spend("monday", "0.4000")


@pytest.mark.django_db
def test_without_a_budget_nothing_is_charged():
    with pytest.raises(ledger.NoBudget, match="none has been set"):
        _spend("monday")

    assert not BudgetSpend.objects.exists()


@pytest.mark.django_db
def test_a_budget_can_be_spent_to_the_last_and_no_further(budget):
    for key, epsilon in (("monday", "0.4"), ("tuesday", "0.6")):
        _spend(key, epsilon)

    with pytest.raises(ledger.BudgetExhausted) as refused:
        _spend("wednesday", "0.0001")

    assert (refused.value.code, refused.value.status) == ("budget_exhausted", 409)
    assert _spent(budget) == Decimal("1.0")
    assert BudgetSpend.objects.count() == 2


@pytest.mark.django_db
def test_what_does_not_fit_is_not_charged_in_part(budget):
    _spend("monday", "0.8")

    with pytest.raises(ledger.BudgetExhausted):
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
def test_the_database_refuses_an_overspend_by_any_writer(budget):
    _spend("monday", "0.8")

    with pytest.raises(IntegrityError, match="the privacy budget of consents is spent"), transaction.atomic():
        BudgetSpend.objects.create(budget=budget, release_key="by hand", epsilon=Decimal("0.3"))

    assert _spent(budget) == Decimal("0.8")


@pytest.mark.django_db
@pytest.mark.parametrize("curve", [(0.1,), (*pure(0.1), 0.1)])
def test_the_database_refuses_a_curve_of_other_orders(budget, curve):
    with pytest.raises(IntegrityError, match="privacy_spend_has_all_orders"), transaction.atomic():
        _spend("monday", "0.1", curve=curve)


@pytest.mark.django_db
def test_a_new_window_has_the_whole_budget_again(db, at):
    budget = PrivacyBudget.objects.create(data_set="consents", epsilon_total=Decimal("1.0"), window="month")
    at("2026-03-30")
    _spend("march", "0.9")
    with pytest.raises(ledger.BudgetExhausted):
        _spend("more", "0.2")

    at("2026-04-01")

    assert _spend("april", "0.9").pk
    assert (_spent(budget), ledger.balance(budget).since) == (Decimal("0.9"), datetime(2026, 4, 1, tzinfo=UTC))


@pytest.mark.django_db
def test_a_budget_without_a_window_never_has(budget, at):
    at("2026-03-30")
    _spend("march", "0.9")
    at("2036-04-01")

    with pytest.raises(ledger.BudgetExhausted):
        _spend("later", "0.2")


@pytest.mark.django_db
def test_a_charge_is_never_dated_into_an_earlier_window(db, at):
    budget = PrivacyBudget.objects.create(data_set="consents", epsilon_total=Decimal("1.0"), window="month")
    at("2026-04-01")
    _spend("april", "0.9")
    at("2026-03-31")

    with pytest.raises(ledger.BudgetExhausted):
        _spend("back-dated", "0.2")

    assert _spend("fits", "0.1").spent_at.date() == datetime(2026, 3, 31, tzinfo=UTC).date()
    assert BudgetSpend.objects.get(release_key="fits").spent_at.date() == datetime(2026, 4, 1, tzinfo=UTC).date()
    assert _spent(budget) == Decimal("1.0")


@pytest.mark.django_db
def test_a_lowered_budget_is_spent_and_not_overdrawn(budget):
    _spend("monday", "0.8")
    PrivacyBudget.objects.update(epsilon_total=Decimal("0.5"))

    with pytest.raises(ledger.BudgetExhausted):
        _spend("tuesday", "0.1")

    budget.refresh_from_db()
    assert ledger.balance(budget).left == 0


@pytest.mark.django_db
def test_many_small_charges_cost_less_under_a_delta(db):
    """The database and the module compute the same composition; without a delta epsilons add up."""
    strict = PrivacyBudget.objects.create(data_set="visits", epsilon_total=Decimal(3))
    budget = PrivacyBudget.objects.create(data_set="consents", epsilon_total=Decimal(3), delta=Decimal("0.000001"))
    curve = discrete_laplace(0.02, 50)
    for number in range(120):
        _spend(f"night {number}", "0.02", curve=curve)
        _spend(f"visits {number}", "0.02", curve=curve, data_set="visits")

    ours = composed([(0.02, curve)] * 120, 1e-6)

    assert _spent(strict) == Decimal("2.4")
    assert float(_spent(budget)) == pytest.approx(ours, abs=1e-9)
    assert ours < 1.4


@pytest.mark.django_db
def test_the_basic_bound_holds_where_it_is_the_smaller(db):
    budget = PrivacyBudget.objects.create(data_set="consents", epsilon_total=Decimal(1), delta=Decimal("0.000001"))
    _spend("once", "0.5", curve=pure(0.5))

    assert _spent(budget) == Decimal("0.5")


@pytest.mark.django_db
def test_gaussian_charges_add_up_by_their_divergences_beyond_the_sum_of_deltas(db):
    """Each has the whole delta of the budget: the basic bound holds for one of them, the Renyi bound for all."""
    delta = Decimal("0.000001")
    budget = PrivacyBudget.objects.create(data_set="consents", epsilon_total=Decimal(2), delta=delta)
    curve = concentrated(Gaussian.of(0.5, 1e-6).rho)
    _spend("once", "0.5", curve=curve, delta=delta)
    assert float(_spent(budget)) == pytest.approx(0.5)

    for number in range(11):
        _spend(f"more {number}", "0.5", curve=curve, delta=delta)
    ours = composed([(0.5, curve)] * 12, 1e-6, deltas=12e-6)

    assert float(_spent(budget)) == pytest.approx(ours, abs=1e-9)
    assert ours < 1.9
    PrivacyBudget.objects.update(epsilon_total=Decimal(f"{ours + 0.005:.4f}"))
    with pytest.raises(ledger.BudgetExhausted):
        _spend("too much", "0.5", curve=curve, delta=delta)


@pytest.mark.django_db
def test_without_a_delta_gaussian_charges_cannot_be_paid(budget):
    curve = concentrated(Gaussian.of(0.5, 1e-6).rho)
    with pytest.raises(ledger.BudgetExhausted):
        _spend("gaussian", "0.1", curve=curve, delta=Decimal("0.000001"))
    PrivacyBudget.objects.update(delta=Decimal("0.000001"))
    _spend("gaussian", "0.1", curve=curve, delta=Decimal("0.000001"))
    PrivacyBudget.objects.update(delta=0)

    assert ledger.balance(budget).left == 0
    with pytest.raises(ledger.BudgetExhausted):
        _spend("more", "0.0001")


@pytest.mark.django_db
def test_a_charge_of_an_earlier_release_counts_in_full(db):
    budget = PrivacyBudget.objects.create(data_set="consents", epsilon_total=Decimal(3), delta=Decimal("0.000001"))
    BudgetSpend.objects.create(budget=budget, release_key="consent-rate-by-region:2026-01-01", epsilon=Decimal("0.5"))

    assert _spent(budget) == Decimal("0.5")
    again = ledger.Charge("consents", "any", "consent-rate-by-region:2026-01-01", Decimal("0.5"), pure(0.5))
    assert ledger.reserve(again, actor="test").curve is None


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
        except ledger.BudgetExhausted as refused:
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
        thread.join(timeout=300)
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_spend_the_same_epsilon(budget):
    outcomes = _at_the_same_time([lambda: _spend("monday", "0.6"), lambda: _spend("tuesday", "0.6")])

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BudgetExhausted", "BudgetSpend"]
    assert _spent(budget) == Decimal("0.6")


@pytest.mark.django_db(transaction=True)
def test_one_key_at_once_for_two_data_sets_pays_for_one(budget):
    PrivacyBudget.objects.create(data_set="visits", epsilon_total=Decimal("1.0"))
    refused = []

    def late():
        try:
            _spend("monday", data_set="visits")
        except ledger.ReleaseKeyTaken as taken:
            refused.append(taken)
        finally:
            connection.close()

    thread = threading.Thread(target=late)
    with transaction.atomic():
        _spend("monday")
        thread.start()
        until_waiting_for_locks(1)
    thread.join(timeout=300)

    assert len(refused) == 1
    assert BudgetSpend.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_for_one_release_are_charged_once(budget):
    outcomes = _at_the_same_time([lambda: _spend("monday"), lambda: _spend("monday")])

    assert outcomes[0] == outcomes[1]
    assert _spent(budget) == Decimal("0.4")
