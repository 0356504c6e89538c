"""Conditions on people and sensitive values, recomputed from what is published."""

from collections import Counter, defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from privacy.anonymisation.errors import AnonymisationError, TooFewRows, TooLittleDiversity
from privacy.anonymisation.generalisation import HierarchicalDomain, Hierarchy
from privacy.anonymisation.kanonymity import anonymise
from privacy.anonymisation.partition import distances
from privacy.anonymisation.partition.items import Items
from privacy.anonymisation.partition.method import SUPPRESSED
from privacy.anonymisation.sensitive import combined, laid_out
from privacy.anonymisation.wish import Wish
from tests.privacy.anonymisation.test_kanonymity import QUASI_IDENTIFIERS, people, rows_of, table

ILLNESSES = Hierarchy.of(
    {
        "flu": ("flu", "lungs", "*"),
        "asthma": ("asthma", "lungs", "*"),
        "ulcer": ("ulcer", "stomach", "*"),
        "none": ("none", "none", "*"),
    }
)


def published(result, sensitive):
    """The sensitive values of the rows that look alike, as a reader of the published table finds them."""
    groups = defaultdict(list)
    for labels, number, value in zip(rows_of(result.columns), result.classes, sensitive, strict=True):
        if number != SUPPRESSED:
            groups[labels].append(value)
    return [Counter(values) for values in groups.values()]


def wished(rows, wish, **options):
    try:
        return anonymise(table(rows), QUASI_IDENTIFIERS, wish, **options)
    except (TooFewRows, TooLittleDiversity):
        return None


def shares(counts, values):
    return np.array([counts[value] for value in values]) / sum(counts.values())


def entropy(counts):
    share = np.array(list(counts.values())) / sum(counts.values())
    return -(share * np.log(share)).sum()


@given(rows=people, k=st.integers(2, 5), least=st.floats(1.01, 3).map(lambda least: round(least, 2)))
def test_every_published_class_has_the_entropy(rows, k, least):
    result = wished(rows, Wish(k, "diagnosis", l=least, diversity="entropy"))

    whole = entropy(Counter(row[4] for row in rows))
    assert (result is None) == (len(rows) < k or whole < np.log(least) - 1e-9)
    for counts in published(result, table(rows)["diagnosis"]) if result else ():
        assert entropy(counts) >= np.log(least) - 1e-9
        assert counts.total() >= k


@given(rows=people, k=st.integers(2, 5), least=st.integers(2, 3), c=st.sampled_from([0.5, 1.0, 3.0]))
def test_every_published_class_is_recursively_diverse(rows, k, least, c):
    def holds(counts):
        most, *rest = sorted(counts.values(), reverse=True)
        return most < c * sum(([most, *rest])[least - 1 :])

    result = wished(rows, Wish(k, "diagnosis", l=least, diversity="recursive", recursive_c=c))

    assert (result is None) == (len(rows) < k or not holds(Counter(row[4] for row in rows)))
    for counts in published(result, table(rows)["diagnosis"]) if result else ():
        assert holds(counts)


@given(rows=people, k=st.integers(2, 5), t=st.sampled_from([0.0, 0.05, 0.2, 0.5]), by=st.sampled_from(["set", "tree"]))
def test_every_published_class_is_close_to_the_table(rows, k, t, by):
    hierarchies = {"diagnosis": ILLNESSES} if by == "tree" else {}
    result = wished(rows, Wish(k, "diagnosis", t=t), hierarchies=hierarchies)

    assert (result is None) == (len(rows) < k)
    if result is None:
        return
    values = [path[0] for path in HierarchicalDomain.of(ILLNESSES).paths]
    ground = distances.hierarchical(HierarchicalDomain.of(ILLNESSES)) if by == "tree" else distances.equal
    whole = shares(Counter(row[4] for row in rows), values)
    found = [ground(shares(counts, values) - whole) for counts in published(result, table(rows)["diagnosis"])]
    assert max(found) <= t + 1e-9
    assert result.report.furthest == pytest.approx(max(found))
    assert result.report.distance == ("hierarchical" if by == "tree" else "equal")


@given(rows=people, k=st.integers(2, 4), t=st.sampled_from([0.05, 0.2]))
def test_numbers_are_close_by_their_order(rows, k, t):
    if len(rows) < k:
        return
    columns = {**table(rows), "income": np.array([row[0] % 7 for row in rows])}

    result = anonymise(columns, QUASI_IDENTIFIERS, Wish(k, "income", t=t))

    values = sorted(set(columns["income"].tolist()))
    whole = shares(Counter(columns["income"].tolist()), values)
    for counts in published(result, columns["income"].tolist()):
        steps = np.cumsum(shares(counts, values) - whole)[:-1]
        assert np.abs(steps).sum() / max(len(steps), 1) <= t + 1e-9
    assert result.report.distance == ("ordered" if len(values) > 1 else "equal")


def transported(cost, one, other):
    """The least work that makes one distribution the other: the definition itself, as a linear programme."""
    size = len(one)
    rows = [np.kron(np.eye(size)[n], np.ones(size)) for n in range(size)]
    columns = [np.kron(np.ones(size), np.eye(size)[n]) for n in range(size)]
    return linprog(cost.ravel(), A_eq=np.array(rows + columns), b_eq=np.concatenate([one, other])).fun


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=4, max_size=4))
def test_distances_are_the_least_work_of_transport(counts):
    one, other = (np.array(column) / max(sum(column), 1) for column in zip(*counts, strict=True))
    if one.sum() == 0:
        return
    places = np.arange(4)
    tree = HierarchicalDomain.of(ILLNESSES)
    levels = [[tree._level(np.array(sorted({a, b}))) for b in range(4)] for a in range(4)]

    for ground, cost in (
        (distances.equal, 1 - np.eye(4)),
        (distances.ordered, np.abs(places[:, None] - places) / 3),
        (distances.hierarchical(tree), np.array(levels) / 2),
    ):
        assert ground(one - other) == pytest.approx(transported(cost, one, other), abs=1e-9)


def test_distances_of_salaries_are_those_of_the_paper():
    # Li et al. 2007, section 4: incomes of 3k to 11k; two classes of three.
    whole = np.full(9, 1 / 9)
    low, mixed = np.eye(9)[[0, 1, 2]].mean(axis=0), np.eye(9)[[3, 5, 8]].mean(axis=0)

    assert distances.ordered(low - whole) == pytest.approx(0.375)
    assert distances.ordered(mixed - whole) == pytest.approx(0.167, abs=5e-4)


def test_a_missing_number_is_as_far_as_the_whole_domain():
    difference = np.array([0.5, 0.0, 0.0, -0.5])  # the first is missing

    assert distances.ordered_with_missing_last(difference) >= distances.equal(difference)


@given(rows=people, k=st.integers(2, 5), fast=st.booleans(), owners=st.integers(1, 20), seed=st.integers(0, 99))
def test_every_published_class_holds_k_people(rows, k, fast, owners, seed):
    who = np.random.default_rng(seed).integers(0, owners, len(rows))
    columns = {**table(rows), "who": who}
    if len(set(who.tolist())) < k:
        with pytest.raises(TooFewRows, match=f"people; k={k}"):
            anonymise(columns, QUASI_IDENTIFIERS, Wish(k, person="who", fast=fast))
        return

    result = anonymise(columns, QUASI_IDENTIFIERS, Wish(k, person="who", fast=fast))

    found = [len(counts) for counts in published(result, who.tolist())]
    assert min(found) == result.report.smallest_class >= k


def test_many_rows_of_few_people_are_no_crowd():
    # 2,000 different rows of 12 people: a piece of the order holds fewer people than a class needs.
    drawn = np.random.default_rng(5)
    columns = {"age": drawn.permutation(2000), "who": np.repeat(np.arange(12), 167)[:2000]}
    columns["age"] = np.sort(columns["age"])

    for fast in (False, True):
        report = anonymise(columns, ["age"], Wish(10, person="who", fast=fast)).report
        assert report.smallest_class >= 10


def test_a_person_without_a_name_is_refused():
    who = np.array(["a", "", "b"], dtype=object)

    with pytest.raises(AnonymisationError, match="'who' names the person, but is empty"):
        anonymise({"age": np.array([1, 2, 3]), "who": who}, ["age"], Wish(2, person="who"))


@given(rows=people, k=st.integers(2, 5), share=st.sampled_from([0.0, 0.05, 0.3]), t=st.sampled_from([None, 0.1]))
def test_suppression_stays_within_its_limit(rows, k, share, t):
    result = wished(rows, Wish(k, "diagnosis", t=t, suppress=share))
    if result is None:
        return

    left_out = result.classes == SUPPRESSED
    assert left_out.sum() == result.report.suppressed <= share * len(rows)
    assert all(set(labels) == {"*"} for labels in np.array(rows_of(result.columns))[left_out].tolist())
    assert all(counts.total() >= k for counts in published(result, table(rows)["diagnosis"]))


def test_what_would_cost_the_others_more_is_left_out():
    # With the last row six others would lose their town and their age.
    columns = {"age": np.array([30] * 9 + [31] * 5 + [99]), "town": np.array(["Oslo"] * 14 + ["Rome"])}

    kept = anonymise(columns, ["age", "town"], Wish(7))
    left_out = anonymise(columns, ["age", "town"], Wish(7, suppress=0.1))

    assert (kept.report.suppressed, left_out.report.suppressed) == (0, 1)
    assert left_out.report.ncp < kept.report.ncp
    assert left_out.columns["town"].tolist() == ["Oslo"] * 14 + ["*"]


@given(rows=people, k=st.integers(2, 5))
def test_the_fast_method_keeps_what_is_promised(rows, k):
    result = wished(rows, Wish(k, fast=True))
    if result is None:
        return

    assert min(counts.total() for counts in published(result, [0] * len(rows))) == result.report.smallest_class >= k


def test_a_weight_protects_its_column():
    drawn = np.random.default_rng(3)
    columns = {"age": drawn.integers(0, 80, 400), "town": drawn.integers(0, 80, 400)}

    plain, weighted = (
        anonymise(columns, ["age", "town"], Wish(5, weights=weights)).report.loss for weights in ({}, {"age": 20})
    )

    assert weighted["age"] < plain["age"]
    assert weighted["town"] > plain["town"]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 4), st.integers(1, 9)), min_size=1))
def test_values_of_several_columns_are_counted_end_to_end(drawn):
    first, second, classes, rows = np.array(drawn).T
    combination, columns = combined(
        {"one": (SimpleNamespace(size=3), first), "two": (SimpleNamespace(size=4), second)}, rows
    )
    values, places = laid_out(columns)
    items = Items(np.zeros((1, len(rows)), dtype=int), rows, combination, None, values, places)

    counts = items.values_of(classes, 5)

    for column, codes, size in ((columns["one"], first, 3), (columns["two"], second, 4)):
        shown = column.counts(counts)
        assert shown.tolist() == [
            [int(rows[(classes == of) & (codes == value)].sum()) for value in range(size)] for of in range(5)
        ]
