"""Noisy tables: policy, payment, counts, noise in this order; public cells; bounded rows of a person; nothing exact."""

import csv
import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent
from privacy.anonymisation.errors import UnusableColumn
from privacy.anonymisation.files.opening import open_table
from privacy.budgets import ledger, mechanisms
from privacy.budgets.composition import renyi_epsilon
from privacy.budgets.mechanisms import Gaussian, Geometric
from privacy.models import BudgetSpend, PrivacyBudget, TableRelease
from privacy.releases import asking, publishing, running, uploads, verifying
from privacy.releases.noisy import counting, making
from privacy.releases.noisy.asking import Noise, NoisyAsked, Plan
from privacy.releases.noisy.domains import OTHER, parse
from privacy.releases.problems import AskedWrongly
from tests.helpers.officers import signed_in, with_role
from tests.privacy.releases.conftest import ANN, BEN, PARTY, PURPOSE

BUDGET = "tables-visits"
DOMAINS = {"city": "R, M, T, P", "age": "20..80 by 20"}


@pytest.fixture
def budget(officers):
    return PrivacyBudget.objects.create(data_set=BUDGET, epsilon_total=Decimal(2), delta=Decimal("0.000001"))


@pytest.fixture
def silent(monkeypatch):
    """Draw no noise."""
    for mechanism in (Geometric, Gaussian):
        monkeypatch.setattr(mechanism, "draw", lambda _self, values, _sensitivity=1: list(values))


@pytest.fixture(autouse=True)
def shown(request, monkeypatch):
    """Show each count, however small, but in the tests of what is withheld."""
    if "withheld" not in request.node.name:
        monkeypatch.setattr(making, "smallest_group", lambda: -(10**6))


def asked(**noise):
    said = {"data_set": BUDGET, "mechanism": "geometric", "epsilon": "0.5", "tables": (("city", "age"),)}
    return NoisyAsked(
        noise=Noise(**{**said, "domains": DOMAINS, **noise}),
        purpose=PURPOSE, receivers=(PARTY,), people="eea", region="eu-central", days=90,
    )  # fmt: skip


@pytest.fixture
def noisy(budget, file):
    def make(table=None, said=None, **noise):
        table = table or uploads.take_file(file, actor=ANN)
        row = asking.ask(table, said or asked(**noise), actor=ANN, state=TableRelease.State.RUNNING)
        running.carry_out(row)
        return row

    return make


def lines(row):
    return list(csv.DictReader(uploads.copy_of(row).read_text().splitlines()))


@pytest.mark.django_db
def test_noisy_tables_go_the_whole_way_to_a_signed_manifest(noisy, budget, tmp_path):
    row = noisy()
    assert (row.state, row.error) == ("done", "")
    proposed = publishing.propose(row, actor=ANN)
    published = publishing.approve(proposed, actor=BEN, seen=proposed.digest)

    manifest = tmp_path / "m.jws"
    manifest.write_text(published.manifest)
    said, _kid = verifying.verify(manifest, uploads.copy_of(row), now=timezone.now())
    assert said["tables"] == [{"columns": "city, age", "cells": 20, "margin": Geometric(0.5).margin()}]
    assert said["charge"] == {"epsilon": "0.5", "delta": "0"}
    spend = BudgetSpend.objects.get()
    assert (spend.release_key, spend.epsilon, spend.actor) == (f"release:{row.pk}", Decimal("0.5"), str(ANN))
    assert ledger.balance(budget).left == Decimal("1.5")


@pytest.mark.django_db
def test_every_number_has_its_error_and_cells_are_public(noisy):
    """Cells without a row have noise too; what is no public value is in a cell that is always there."""
    found = lines(noisy())

    assert [(each["city"], each["age"]) for each in found] == [
        (city, age) for city in ("R", "M", "T", "P", OTHER) for age in ("20 to 40", "40 to 60", "60 to 80", OTHER)
    ]
    margin = Geometric(0.5).margin()
    assert {int(each["high"]) - int(each["count"]) for each in found} == {margin}
    assert {int(each["count"]) - int(each["low"]) for each in found} == {margin}
    others = [int(each["count"]) for each in found if OTHER in (each["city"], each["age"])]
    assert len(others) == 8
    assert any(others), "noise in empty cells"


@pytest.mark.django_db
def test_counts_below_the_smallest_group_are_withheld_after_the_noise(noisy, silent, monkeypatch):
    row = noisy(tables=(("city",), ("city", "age")))
    by_city = {each["city"]: each for each in lines(row) if each["table"] == "city"}
    finer = [each for each in lines(row) if each["table"] == "city, age"]

    assert by_city[OTHER]["count"] == by_city[OTHER]["low"] == by_city[OTHER]["high"] == ""
    assert all(int(by_city[city]["count"]) >= 20 for city in "RMTP" if by_city[city]["count"])
    assert any(each["count"] for each in by_city.values())
    assert [each["count"] for each in finer] == [""] * 20
    assert row.report["withheld_below"] == 20
    assert all(number >= 20 for _, number in row.figures["largest"])


@pytest.mark.django_db
def test_without_noise_the_counts_are_those_of_the_table(noisy, silent, file):
    rows = list(csv.DictReader(file.read_text().splitlines()))

    found = lines(noisy(tables=(("city",), ("age", "city"))))

    by_city = {each["city"]: int(each["count"]) for each in found if each["table"] == "city"}
    assert by_city == {city: sum(row["city"] == city for row in rows) for city in "RMTP"} | {OTHER: 0}
    first = next(each for each in found if each["table"] == "age, city" and each["age"] == "20 to 40")
    # Ages of 18 and 19 lie outside and are moved to the bound.
    assert int(first["count"]) == sum(int(row["age"]) < 40 and row["city"] == "R" for row in rows)


@pytest.mark.django_db
def test_what_is_kept_of_a_release_says_nothing_exact_of_the_data(noisy, silent):
    row = noisy()
    proposed = publishing.propose(row, actor=ANN)

    text = json.dumps([proposed.document, proposed.report])
    assert row.table.sha256 not in text
    json.loads(text, parse_int=(numbers := []).append)
    assert "120" not in numbers
    event = AuditEvent.objects.get(action="release.made")
    assert set(event.details) == {"target"}


@pytest.mark.django_db
def test_the_policy_is_asked_before_anything_is_paid(noisy, budget):
    row = noisy(epsilon="1.001")

    assert row.state == "failed"
    assert "protects too little: 1001 of 1000" in row.error
    assert not BudgetSpend.objects.exists()
    assert not uploads.copy_of(row).exists()
    refused = noisy(row.table, replace(asked(), purpose="newsletter"))
    assert (refused.state, BudgetSpend.objects.count()) == ("failed", 0)


@pytest.mark.django_db
def test_an_exhausted_budget_makes_nothing_and_what_was_paid_is_not_given_back(noisy, budget):
    PrivacyBudget.objects.update(epsilon_total=Decimal("0.8"))
    first = noisy()
    second = noisy(first.table)

    assert (first.state, second.state) == ("done", "failed")
    assert "0.3 of 0.8 is left; 0.5 is needed" in second.error
    assert not uploads.copy_of(second).exists()
    proposed = publishing.propose(first, actor=ANN)
    publishing.refuse(proposed, actor=BEN, seen=proposed.digest, reason="Not needed.")
    assert ledger.balance(budget).left == Decimal("0.3")


@pytest.mark.django_db
def test_a_job_that_is_repeated_is_charged_once(noisy, budget):
    row = noisy()
    running.carry_out(row)

    assert BudgetSpend.objects.count() == 1


@pytest.mark.django_db
def test_one_table_is_paid_by_one_budget(noisy):
    row = noisy()
    PrivacyBudget.objects.create(data_set="tables-others", epsilon_total=Decimal(2))

    with pytest.raises(AskedWrongly, match="by no other"):
        noisy(row.table, data_set="tables-others")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("noise", "reason"),
    [
        ({"data_set": "tables-none"}, "none has been set"),
        ({"data_set": "consents"}, "begins with “tables-”"),
        ({"epsilon": "0"}, "above 0"),
        ({"epsilon": "nan"}, "above 0"),
        ({"epsilon": "0.00001"}, "above 0"),
        ({"mechanism": "laplace"}, "no noise"),
        ({"mechanism": "gaussian", "epsilon": "0.01"}, "No Gaussian noise"),
        ({"tables": ()}, "1 to 20 tables"),
        ({"tables": (("town",),)}, "no column “town”"),
        ({"tables": (("city", "city"),)}, "each column once"),
        ({"tables": (("illness",),)}, "needs public values"),
        ({"domains": {**DOMAINS, "age": "80..20 by 5"}}, "go upwards"),
        ({"domains": {**DOMAINS, "age": "0..90 by 0.001"}}, "1,000 at most"),
        ({"domains": {**DOMAINS, "city": "R, R"}}, "twice"),
        ({"rows_each": 3}, "1 where no column"),
        ({"person": "who"}, "no column “who”"),
        ({"tables": (("age",),) * 20, "domains": {"age": "0..1000 by 1"}, "epsilon": "0.00001"}, "above 0"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_job(noisy, noise, reason):
    with pytest.raises(AskedWrongly, match=reason):
        noisy(**noise)
    assert not TableRelease.objects.exists()


@pytest.mark.django_db
def test_too_many_cells_are_refused(noisy):
    wide = {"age": "0..1000 by 1", "city": ",".join(f"c{number}" for number in range(300))}
    with pytest.raises(AskedWrongly, match="200,000 at most"):
        noisy(tables=(("age", "city"),), domains=wide)


@pytest.mark.django_db
@pytest.mark.parametrize("mechanism", ["geometric", "gaussian"])
def test_a_charge_is_that_of_all_tables_together(budget, mechanism):
    """Divergences of the parts add up to no more than the epsilon, and each table's noise is of its part."""
    plan = Plan.of(asked(mechanism=mechanism, tables=(("city",), ("age",), ("age", "city"), ("city", "age"))), "k")
    parts = [plan.part] * 4

    if mechanism == "gaussian":
        assert sum(part.rho for part in parts) == pytest.approx(mechanisms.of("gaussian", 0.5, 1e-6).rho)
        assert renyi_epsilon(plan.charge.curve, 1e-6) == pytest.approx(0.5)
        assert plan.charge.delta == Decimal("0.000001")
    else:
        assert sum(part.epsilon for part in parts) == pytest.approx(0.5)
        assert plan.charge.delta == 0
    assert max(plan.charge.curve) <= 0.5 or mechanism == "gaussian"


def test_gaussian_noise_is_smaller_where_a_person_is_in_many_tables():
    def margin(name):
        return mechanisms.of(name, 1.0, 1e-6).part(1 / 20).margin()

    assert margin("gaussian") < 0.7 * margin("geometric")


def _table(tmp_path, people, name="t.csv"):
    path = tmp_path / name
    rows = [f"{person},{value}" for person, value in people]
    path.write_text("\n".join(["who,color", *rows]) + "\n")
    return open_table(path)


def _counts(table, rows_each):
    domains = {"color": parse("color", "red, blue")}
    (found,) = counting.count(table, domains, [("color",)], person="who", rows_each=rows_each)
    return found.cells


@pytest.mark.parametrize("rows_each", [1, 2, 5])
def test_taking_a_person_away_changes_counts_by_their_bound_and_no_other_person(tmp_path, rows_each):
    """The neighbours: all rows of a person. Which rows of the others count stays the same."""
    rng = np.random.default_rng(rows_each)
    colors = ["red", "blue", "green"]
    people = [(f"p{rng.integers(12)}", colors[rng.integers(3)]) for _ in range(90)]
    whole = _counts(_table(tmp_path, people), rows_each)
    for person in {person for person, _ in people}:
        rest = _table(tmp_path, [row for row in people if row[0] != person], "rest.csv")
        changed = np.abs(whole - _counts(rest, rows_each))

        assert changed.sum() == min(rows_each, sum(row[0] == person for row in people))


def test_rows_that_name_no_person_do_not_count(tmp_path):
    assert _counts(_table(tmp_path, [("a", "red"), ("", "red"), (" ", "blue"), ("b", "blue")]), 1).tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("text", "values", "cells"),
    [
        ("0..10 by 5", ["0", "4.9", "5", "10", "11", "-3", "", "x", "nan", "inf"], [0, 0, 1, 1, 1, 0, 2, 2, 2, 2]),
        ("0..10 by 4", ["9", "10"], [2, 2]),
        ('"a, b", c', ["a, b", " c ", "d"], [0, 1, 2]),
    ],
)
def test_a_value_is_in_its_public_cell(text, values, cells):
    import pyarrow as pa

    assert parse("x", text).codes(pa.array(values)).tolist() == cells


def test_missing_values_are_in_the_cell_of_others():
    import pyarrow as pa

    assert parse("x", "1..3 by 1").codes(pa.array([1, None, 2])).tolist() == [0, 2, 1]


@pytest.mark.parametrize("text", ["", ",", "a,,b", "(other)", "5..1 by 1", "0..1 by -1"])
def test_domains_that_are_none_are_refused(text):
    with pytest.raises(UnusableColumn):
        parse("x", text)


def _line(path, *more):
    return [
        str(path), "--as", "ann", "--epsilon", "0.5", "--budget", BUDGET, "--table", "city,age",
        "--values", "city=R,M,T,P", "--values", "age=20..80 by 20",
        "--to", PARTY, "--purpose", PURPOSE, "--people", "eea", "--region", "eu-central", *more,
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_preview_by_command_costs_nothing_and_another_line_proposes(budget, file, capsys):
    call_command("release", *_line(file, "--preview"))
    said = capsys.readouterr().out
    assert "Cost: epsilon 0.5, delta 0, of the budget of “tables-visits”: 2 is left" in said
    assert f"Table city, age: 20 cells, each count within ± {Geometric(0.5).margin()} (95 %)" in said
    assert "may leave" in said
    assert not TableRelease.objects.exists()
    assert not BudgetSpend.objects.exists()

    call_command("release", *_line(file))
    row = TableRelease.objects.get()
    assert f"Proposed: {row.pk}" in capsys.readouterr().out
    call_command("release", "approve", str(row.pk), "--as", "ben")
    call_command("release", "list")
    assert "epsilon = 0.5" in capsys.readouterr().out


@pytest.mark.django_db
def test_a_preview_by_command_says_why_it_may_not_leave(budget, file, capsys):
    call_command("release", *_line(file, "--preview", "--rows-each", "1", "--epsilon", "3"))

    assert "epsilon_too_large" in capsys.readouterr().out
    with pytest.raises(CommandError, match="protects too little"):
        call_command("release", *_line(file, "--epsilon", "3"))


def test_the_steps_are_as_many_as_those_of_a_copy():
    assert len(making.STEPS) == len(running.STEPS)


FORM = {
    "tables": "city, age\nage", "values": "city: R, M, T, P\nage: 20..80 by 20", "person": "", "rows_each": "1",
    "budget": BUDGET, "epsilon": "0.5", "mechanism": "gaussian", "purpose": PURPOSE, "receivers": PARTY,
    "people": "eea", "region": "eu-central", "days": "90",
}  # fmt: skip


@pytest.mark.django_db
def test_an_officer_sees_cost_and_error_before_anything_is_paid(budget, file):
    table = uploads.take_file(file, actor=ANN)
    officer = signed_in(with_role("olga", "privacy-officer"))
    page = f"/admin/releases/tables/{table.pk}/noisy"
    fresh = officer.get(page).content.decode()
    assert "tables-visits: 2 left" in fresh
    assert '<textarea name="values" rows="6" required></textarea>' in fresh

    shown = officer.post(page, {**FORM, "do": "plan"}).content.decode()
    margin = Gaussian.of(0.5, 1e-6).part(1 / 2).margin()
    assert f"± {margin}" in shown
    assert "at a delta of 0.000001" in shown
    assert "The policy lets it leave" in shown
    assert not TableRelease.objects.exists()
    refused = officer.post(page, {**FORM, "values": "city"}).content.decode()
    assert 'name="values" aria-invalid="true" autofocus' in refused
    assert "has no colon: write COLUMN: values.</span>" in refused

    answer = officer.post(page, {**FORM, "do": "make"})
    row = TableRelease.objects.get()
    assert answer.headers["Location"] == f"/admin/releases/{row.pk}/"
    running.carry_out(row)
    shown = officer.get(f"/admin/releases/{row.pk}/").content.decode()
    assert "Largest counts" in shown
    assert f"± {margin}" in shown
    assert "delta = 0.000001" in shown
    assert "epsilon = 0.5" in officer.get("/admin/releases/").content.decode()


@pytest.mark.django_db
def test_only_who_prepares_releases_may_pay(budget, file):
    table = uploads.take_file(file, actor=ANN)
    auditor = signed_in(with_role("otto", "auditor"))
    page = f"/admin/releases/tables/{table.pk}/noisy"

    assert auditor.get(page).status_code == 200
    assert auditor.post(page, {**FORM, "do": "make"}).status_code == 403
    assert not TableRelease.objects.exists()


@pytest.mark.django_db
def test_the_form_offers_budgets_of_uploaded_tables_alone(file):
    table = uploads.take_file(file, actor=ANN)
    PrivacyBudget.objects.create(data_set="consents", epsilon_total=Decimal(2))

    shown = signed_in(with_role("olga", "privacy-officer")).get(f"/admin/releases/tables/{table.pk}/noisy")

    assert "consents: 2 left" not in shown.content.decode()
    assert 'none has been made yet. <a href="/admin/privacy/privacybudget/add/">' in shown.content.decode()
