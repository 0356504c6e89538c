"""Measures of loss and risk: exact cases a person can follow."""

import numpy as np
import pytest

from privacy.anonymisation.coding import Tally, counted
from privacy.anonymisation.files.csv_table import CsvTable
from privacy.anonymisation.kanonymity import anonymise, form_classes
from privacy.anonymisation.measuring import queries
from privacy.anonymisation.wish import Wish


def test_risk_is_that_of_the_three_attackers():
    risk = anonymise({"age": np.array([20, 20, 20, 60, 61, 62, 63])}, ["age"], Wish(3)).report.risk

    # Classes of 3 and of 4 rows: each person of the smaller one is one of three; two classes in seven rows.
    assert risk.prosecutor == risk.journalist == pytest.approx(1 / 3)
    assert risk.marketer == pytest.approx(2 / 7)
    assert (risk.unique_before, risk.unique_after, risk.classes_at_k) == (pytest.approx(4 / 7), 0, 1)
    assert risk.minimality is None


def test_risk_counts_people_not_rows():
    columns = {"age": np.array([20] * 6), "who": np.array([1, 1, 1, 1, 2, 3])}

    report = anonymise(columns, ["age"], Wish(3, person="who")).report

    assert report.risk.prosecutor == pytest.approx(1 / 3)
    assert report.risk.marketer == pytest.approx(1 / 3)


def test_a_limit_on_sensitive_values_is_named_as_a_risk():
    columns = {"age": np.array([20, 21, 22, 23]), "d": np.array(["flu", "none", "flu", "none"])}

    assert "minimality attack" in anonymise(columns, ["age"], Wish(2, "d", l=2)).report.risk.minimality
    assert anonymise(columns, ["age"], Wish(2, "d")).report.risk.minimality is None


def test_the_average_class_is_measured_in_k():
    report = anonymise({"age": np.array([20, 20, 20, 60, 61, 62, 63])}, ["age"], Wish(3)).report

    assert report.average_class == pytest.approx(7 / 2 / 3)


def _result(tmp_path, rows, wish):
    path = tmp_path / "t.csv"
    path.write_text("age,sex\n" + "".join(f"{age},{sex}\n" for age, sex in rows))
    with Tally(["age", "sex"]) as tally:
        for columns in CsvTable.open(path).batches(["age", "sex"]):
            tally.add(columns)
        return form_classes(counted(tally, wish, {})[0], wish)[0]


def test_counts_of_a_table_that_lost_nothing_are_exact(tmp_path):
    result = _result(tmp_path, [(age, sex) for age in range(8) for sex in "fm"] * 2, Wish(2))

    error = result.query_error

    assert error.queries > 100
    assert (error.median, error.mean) == (0, 0)


def test_a_count_takes_the_values_of_a_class_as_equally_likely(tmp_path, monkeypatch):
    ages = (0, 1)  # the codes of 20 and 21
    monkeypatch.setattr(queries, "_TRIES", 1)
    monkeypatch.setattr(
        queries, "_run", lambda _drawn, domain: ages if domain.kind == "range" else (0, domain.size - 1)
    )

    result = _result(tmp_path, [(20, "f"), (20, "f"), (20, "f"), (21, "f"), (22, "m"), (23, "m")], Wish(6))

    # One class of six rows, of four ages: half of them are expected, four are true.
    assert result.query_error.mean == pytest.approx(0.25)
