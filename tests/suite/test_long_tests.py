"""``./assent test --long``: which tests run without it and which with it, in which form."""

import os
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import strategies as st

from governance.launcher.testrun import pytest_arguments
from tests import conftest
from tests.helpers.paths import CHECKOUT
from tests.helpers.scale import property_test, scale


@pytest.fixture
def asks_for_long(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.getoption("--long"))


@scale("form", small="small", long="long")
def test_a_scaled_test_runs_in_the_form_asked_for(form: str, asks_for_long: bool) -> None:
    assert form == ("long" if asks_for_long else "small")


@pytest.mark.long
def test_a_long_test_runs_only_where_it_is_asked_for(asks_for_long: bool) -> None:
    assert asks_for_long


def test_a_property_is_tried_as_often_as_its_form_says() -> None:
    tried: list[int] = []

    @property_test(20, 300, number=st.integers())
    def holds(number: int) -> None:
        tried.append(number)

    (mark,) = holds.pytestmark  # type: ignore[attr-defined]
    assert [(form.id, form.values) for form in mark.args[1]] == [("small", (20,)), ("long", (300,))]
    holds(examples=7)
    assert len(tried) == 7


def test_a_property_that_does_not_hold_fails() -> None:
    @property_test(20, 300, number=st.integers(0, 3))
    def is_small(number: int, least: int) -> None:
        assert number > least

    with pytest.raises(AssertionError):
        is_small(examples=20, least=2)
    is_small(examples=20, least=-1)


def _kept(*, long: bool) -> tuple[list[str], list[str]]:
    """Return which of two tests stay in the run, and which are reported as left out."""
    left_out: list[Any] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: left_out.extend(items))
    config = SimpleNamespace(getoption=lambda _name: long, hook=hook)
    items: list[Any] = [
        SimpleNamespace(name=name, get_closest_marker=lambda _marker, has=has: has)
        for name, has in (("ordinary", None), ("large", pytest.mark.long))
    ]
    conftest.pytest_collection_modifyitems(config, items)  # type: ignore[arg-type]
    return [item.name for item in items], [item.name for item in left_out]


def test_long_tests_are_left_out_of_the_ordinary_run() -> None:
    assert _kept(long=False) == (["ordinary"], ["large"])


def test_only_long_tests_stay_where_they_are_asked_for() -> None:
    assert _kept(long=True) == (["large"], ["ordinary"])


@pytest.mark.parametrize("arguments", [[], ["--long"]])
def test_a_whole_run_uses_every_core(arguments: list[str]) -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert pytest_arguments(arguments)[: len(arguments) + 2] == [*arguments, "-n", str(cores)]


@pytest.mark.parametrize("arguments", [["tests/audit"], ["--long", "tests/audit", "-x"]])
def test_what_is_asked_of_pytest_reaches_it_unchanged(arguments: list[str]) -> None:
    assert pytest_arguments(arguments) == arguments


def test_on_several_cores_the_longest_files_come_first_and_small_ones_last() -> None:
    files = ["tests/a.py", "tests/b.py", "tests/b.py", conftest.LONGEST_FIRST[1], conftest.LONGEST_FIRST[0]]
    items: list[Any] = [SimpleNamespace(nodeid=f"{file}::test_{number}") for number, file in enumerate(files)]

    conftest.OrderOfFiles().pytest_collection_modifyitems(items)

    numbers = [int(item.nodeid.rpartition("_")[2]) for item in items]
    assert numbers == [4, 3, 1, 2, 0]


@pytest.mark.parametrize("name", conftest.LONGEST_FIRST)
def test_the_longest_files_are_there(name: str) -> None:
    assert (CHECKOUT / name).exists()
