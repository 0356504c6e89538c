"""Cohen's kappa: published tables, its bounds, and the cases in which it is not defined."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_registry.reviews.verdicts.kappa import Agreement, cohens_kappa


def pairs_of(table: list[list[int]]) -> list[tuple[str, str]]:
    return [
        (str(row), str(column))
        for row, cells in enumerate(table)
        for column, count in enumerate(cells)
        for _each in range(count)
    ]


@pytest.mark.parametrize(
    ("table", "kappa", "interval"),
    [
        # SAS/STAT User's Guide, The FREQ Procedure: skin conditions judged by two dermatologists.
        ([[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]], 0.3449, (0.2030, 0.4868)),
        # A table of nineteen with an empty cell, as SAS prints it.
        ([[0, 4, 1], [0, 8, 0], [0, 1, 5]], 0.4842, (0.2137, 0.7547)),
    ],
)
def test_published_tables(table: list[list[int]], kappa: float, interval: tuple[float, float]) -> None:
    found = cohens_kappa(pairs_of(table))

    assert found.kappa == pytest.approx(kappa, abs=5e-5)
    assert found.interval == pytest.approx(interval, abs=5e-5)


categories = st.sampled_from(["approve", "change", "reject"])


@given(st.lists(st.tuples(categories, categories), max_size=60))
def test_kappa_and_its_interval_stay_within_their_bounds(pairs: list[tuple[str, str]]) -> None:
    found = cohens_kappa(pairs)

    assert found.pairs == len(pairs)
    if found.kappa is None:
        assert found.why
        assert found.interval is None
    else:
        assert -1 <= found.kappa <= 1
        assert found.kappa <= (found.observed or 0) + 1e-12
        if found.interval:
            assert found.interval[0] <= found.kappa <= found.interval[1]
            assert found.interval[0] >= -1
            assert found.interval[1] <= 1


@given(st.lists(st.tuples(categories, categories), max_size=40))
def test_the_order_of_the_raters_makes_no_difference(pairs: list[tuple[str, str]]) -> None:
    found, turned = cohens_kappa(pairs), cohens_kappa((b, a) for a, b in pairs)

    assert found.kappa == pytest.approx(turned.kappa, abs=1e-12) if found.kappa is not None else turned.kappa is None
    assert (found.interval is None) == (turned.interval is None)
    if found.interval and turned.interval:
        assert found.interval == pytest.approx(turned.interval, abs=1e-9)


def test_one_rater_has_no_agreement() -> None:
    assert cohens_kappa([]) == Agreement(0, why="No output was judged by two people.")


def test_verdicts_that_are_all_the_same_have_no_kappa() -> None:
    found = cohens_kappa([("approve", "approve")] * 30)

    assert (found.observed, found.kappa, found.interval) == (1.0, None, None)
    assert "the same" in found.why


def test_full_agreement_over_several_verdicts_is_one_without_an_interval() -> None:
    found = cohens_kappa([(each, each) for each in ("approve", "reject", "change")] * 10)

    assert (found.kappa, found.interval) == (1.0, None)


def test_agreement_by_chance_alone_is_zero() -> None:
    found = cohens_kappa(list(product(["approve", "reject"], repeat=2)) * 10)

    assert found.kappa == pytest.approx(0)


def test_few_pairs_have_no_interval() -> None:
    assert cohens_kappa([("approve", "reject"), ("approve", "approve")]).interval is None
