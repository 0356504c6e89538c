"""Which cell a person belongs to: a table of regions and rules, the same answer in every cell."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from policies.bundles.loading import LoadedBundle
from policies.cells.subject_placement import Unplaced, home_of, place
from policies.cells.table import read_table
from policies.registers import defaults
from tests.helpers.cell_tables import table_of, write_table

NOW = time.time()


@pytest.fixture(scope="module")
def bundle() -> LoadedBundle:
    return defaults.bundle_without_database()


def _name(found: object) -> str:
    return found.code if isinstance(found, Unplaced) else found.name  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("region", "cells", "home"),
    [
        ("DE", ("eu", "us"), "eu"),
        ("DE", ("us", "eu"), "eu"),
        ("DE-BY", ("eu", "us"), "eu"),
        # A rule lets Americans be processed in the EEA, yet their own group's cell comes first.
        ("US", ("eu", "us"), "us"),
        ("US-CA", ("eu", "us"), "us"),
        ("US-ZZ", ("eu", "us"), "us"),
        # Of two that are open without an instrument, the first of the table.
        ("MX", ("eu", "us"), "eu"),
        ("MX", ("us", "eu"), "us"),
        ("BR", ("us", "eu"), "eu"),
        # Only under an instrument, which is in force.
        ("GB", ("us", "eu"), "eu"),
        ("GB", ("us", "eu", "uk"), "uk"),
        ("DE", ("us", "uk"), "uk"),
        ("BR", ("us", "uk"), "residency"),
        ("ZZ", ("eu", "us"), "region_unknown"),
        ("de", ("eu", "us"), "region_unknown"),
        ("nonsense", ("eu", "us"), "region_unknown"),
    ],
)
def test_a_region_has_one_home(
    bundle: LoadedBundle, tmp_path: Path, region: str, cells: tuple[str, ...], home: str
) -> None:
    for own in cells:
        table = read_table(write_table(tmp_path, *cells, primary=cells[0]), own)
        assert _name(home_of(region, bundle, table, NOW)) == home


def test_an_instrument_that_ended_opens_no_cell(bundle: LoadedBundle, tmp_path: Path) -> None:
    ended = replace(bundle, instrument_ends=(("uk-eea-adequacy", NOW - 1),))
    table = table_of(tmp_path, "us", "us", "eu")

    assert home_of("GB", bundle, table, NOW) == table.primary
    assert home_of("GB", ended, table, NOW) == Unplaced("residency")
    assert home_of("GB", replace(bundle, instrument_ends=(("uk-eea-adequacy", NOW + 1),)), table, NOW) == table.primary


def test_a_rule_for_some_kinds_of_data_opens_no_cell(bundle: LoadedBundle, tmp_path: Path) -> None:
    residency = bundle.data["residency"]
    rules = [{**rule, "categories": ["views"]} for rule in residency["rules"]]
    narrow = replace(bundle, data={**bundle.data, "residency": {**residency, "rules": rules}})

    assert home_of("DE", narrow, table_of(tmp_path, "us"), NOW) == Unplaced("residency")


@pytest.mark.parametrize(
    ("region", "known", "placed"),
    [
        ("DE", False, "eu"),
        ("US", False, "us"),
        (None, False, "region_unknown"),
        ("", False, "region_unknown"),
        ("ZZ", False, "region_unknown"),
        (None, True, "us"),
        ("US-CA", True, "us"),
        ("ZZ", True, "us"),
        # The row says one cell and the request another: a doubt.
        ("DE", True, "region_conflict"),
    ],
)
def test_a_question_is_placed_by_the_row_and_the_region_stated(
    bundle: LoadedBundle, tmp_path: Path, region: str | None, known: bool, placed: str
) -> None:
    assert _name(place(region, known=known, bundle=bundle, table=table_of(tmp_path, "us"), now=NOW)) == placed


def test_without_rules_nobody_new_is_placed_and_no_region_is_believed(tmp_path: Path) -> None:
    table = table_of(tmp_path, "us")

    def placed(region: str | None, *, known: bool) -> object:
        return place(region, known=known, bundle=None, table=table, now=NOW)

    assert placed("US", known=False) == Unplaced("bundle_missing")
    assert placed("DE", known=True) == Unplaced("bundle_missing")
    assert placed(None, known=True) == table.own
