"""The k-anonymity mathematics: properties of generated tables, exact cases, and the UCI Adult data set."""

import csv
import gzip
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.anonymisation.errors import (
    AnonymisationError,
    BadHierarchy,
    TooFewRows,
    TooLittleDiversity,
    UnknownColumn,
    UnusableColumn,
)
from privacy.anonymisation.generalisation import Hierarchy, NumericDomain
from privacy.anonymisation.kanonymity import anonymise, smallest_class
from privacy.anonymisation.wish import Wish
from tests.helpers.paths import DATA

ADULT_QUASI_IDENTIFIERS = [
    "age", "workclass", "education", "marital-status", "occupation", "race", "sex", "native-country",
]  # fmt: skip
QUASI_IDENTIFIERS = ["age", "height", "region", "trade"]
REGIONS = Hierarchy.of(
    {
        "Oslo": ("Oslo", "Norway", "North", "*"),
        "Bergen": ("Bergen", "Norway", "North", "*"),
        "Malmo": ("Malmo", "Sweden", "North", "*"),
        "Rome": ("Rome", "Italy", "South", "*"),
    }
)

people = st.lists(
    st.tuples(
        st.integers(0, 90),
        st.one_of(st.none(), st.floats(140, 210, allow_nan=False).map(lambda cm: round(cm, 1))),
        st.sampled_from(sorted(REGIONS.paths)),
        st.one_of(st.none(), st.sampled_from(["smith", "baker", "a|b", "judge"])),
        st.sampled_from(["flu", "asthma", "none"]),
    ),
    min_size=2,
    max_size=60,
)


def table(rows):
    ages, heights, regions, trades, diagnoses = zip(*rows, strict=True)
    return {
        "age": np.array(ages),
        "height": np.ma.masked_array([h or 0.0 for h in heights], mask=[h is None for h in heights]),
        "region": np.array(regions),
        "trade": np.array(trades, dtype=object),
        "diagnosis": np.array(diagnoses, dtype=object),
    }


def rows_of(columns, names=QUASI_IDENTIFIERS):
    return list(zip(*(columns[name].tolist() for name in names), strict=True))


@given(rows=people, k=st.integers(2, 8), with_hierarchy=st.booleans())
def test_every_row_is_in_exactly_one_class_of_at_least_k(rows, k, with_hierarchy):
    columns = table(rows)
    hierarchies = {"region": REGIONS} if with_hierarchy else {}
    if len(rows) < k:
        with pytest.raises(TooFewRows):
            anonymise(columns, QUASI_IDENTIFIERS, Wish(k), hierarchies=hierarchies)
        return

    result = anonymise(columns, QUASI_IDENTIFIERS, Wish(k), hierarchies=hierarchies)

    sizes = np.bincount(result.classes)
    assert len(result.classes) == len(rows)
    assert sizes.min() >= k
    assert sizes.sum() == result.report.rows == len(rows)
    assert result.report.smallest_class == sizes.min()
    assert result.report.classes == len(sizes)
    assert result.report.discernibility == (sizes**2).sum()
    assert 0 <= result.report.ncp <= 1


@given(rows=people, k=st.integers(2, 8))
def test_k_never_falls_after_generalising(rows, k):
    if len(rows) < k:
        return
    columns = table(rows)

    released = anonymise(columns, QUASI_IDENTIFIERS, Wish(k)).columns

    assert smallest_class(released, QUASI_IDENTIFIERS) >= max(k, smallest_class(columns, QUASI_IDENTIFIERS))


@given(rows=people, k=st.integers(2, 5), order=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_change_the_classes(rows, k, order):
    if len(rows) < k:
        return
    permutation = list(range(len(rows)))
    order.shuffle(permutation)

    straight = anonymise(table(rows), QUASI_IDENTIFIERS, Wish(k))
    shuffled = anonymise(table([rows[i] for i in permutation]), QUASI_IDENTIFIERS, Wish(k))

    assert straight.classes[permutation].tolist() == shuffled.classes.tolist()
    assert [rows_of(straight.columns)[i] for i in permutation] == rows_of(shuffled.columns)
    assert straight.report == shuffled.report


@given(rows=people, k=st.integers(2, 5))
def test_equal_rows_are_never_separated_and_labels_cover_their_values(rows, k):
    if len(rows) < k:
        return
    columns = table(rows)

    result = anonymise(columns, QUASI_IDENTIFIERS, Wish(k))

    classes_of = defaultdict(set)
    for row, number in zip(rows, result.classes.tolist(), strict=True):
        classes_of[row[:4]].add(number)
    assert all(len(numbers) == 1 for numbers in classes_of.values())
    for (age, _, region, _, _), label in zip(rows, rows_of(result.columns), strict=True):
        low, _, high = label[0].partition("..")
        assert int(low) <= age <= int(high or low)
        assert region in label[2].split("|")


@given(rows=people, k=st.integers(2, 5), diversity=st.integers(2, 3))
def test_every_class_has_l_distinct_sensitive_values(rows, k, diversity):
    columns = table(rows)
    if len(rows) < k or len(set(columns["diagnosis"])) < diversity:
        with pytest.raises((TooFewRows, TooLittleDiversity)):
            anonymise(columns, QUASI_IDENTIFIERS, Wish(k, "diagnosis", l=diversity))
        return

    result = anonymise(columns, QUASI_IDENTIFIERS, Wish(k, "diagnosis", l=diversity))

    seen = defaultdict(set)
    for number, diagnosis in zip(result.classes.tolist(), columns["diagnosis"], strict=True):
        seen[number].add(diagnosis)
    assert min(map(len, seen.values())) == result.report.fewest_sensitive >= diversity
    assert result.report.smallest_class >= k


def test_classes_hold_k_rows_each():
    ages = {"age": np.array([20, 21, 22, 60, 61])}

    assert anonymise(ages, ["age"], Wish(2)).columns["age"].tolist() == ["20..22"] * 3 + ["60..61"] * 2
    assert anonymise(ages, ["age"], Wish(3)).columns["age"].tolist() == ["20..61"] * 5


def test_information_loss_is_averaged_over_all_cells():
    columns = {"age": np.array([0, 5, 90, 100]), "sex": np.array(["f", "m", "f", "f"])}

    report = anonymise(columns, ["age", "sex"], Wish(2)).report

    # Ages lose (5 + 5 + 10 + 10) / 100, the class of two sexes loses 1 for each of its two cells.
    assert report.ncp == pytest.approx((0.3 + 2) / 8)
    assert (report.classes, report.discernibility, report.suppressed) == (2, 8, 0)


def test_sets_are_sorted_and_their_separator_is_escaped():
    columns = {"trade": np.array(["smith", "a|b", "smith", "baker"])}

    assert set(anonymise(columns, ["trade"], Wish(4)).columns["trade"]) == {r"a\|b|baker|smith"}


def test_a_missing_value_is_a_category_of_its_own():
    ages = np.ma.masked_array([0, 0, 30, 31, 32], mask=[True, True, False, False, False])

    apart = anonymise({"age": ages}, ["age"], Wish(2))
    together = anonymise({"age": ages}, ["age"], Wish(5))

    assert apart.columns["age"].tolist() == ["?", "?", "30..32", "30..32", "30..32"]
    assert set(together.columns["age"]) == {"?|30..32"}
    assert together.report.ncp == 1
    assert set(anonymise({"a": np.array([None, "", "x"], dtype=object)}, ["a"], Wish(3)).columns["a"]) == {"?|x"}


def test_a_hierarchy_gives_the_lowest_common_ancestor():
    def label(*regions):
        return anonymise({"r": np.array(regions)}, ["r"], Wish(len(regions)), hierarchies={"r": REGIONS})

    assert set(label("Oslo", "Oslo").columns["r"]) == {"Oslo"}
    assert set(label("Oslo", "Bergen").columns["r"]) == {"Norway"}
    assert set(label("Oslo", "Malmo").columns["r"]) == {"North"}
    assert label("Oslo", "Malmo").report.ncp == pytest.approx(2 / 3)
    assert set(label("Malmo", "Rome").columns["r"]) == {"*"}
    assert set(label("Oslo", "").columns["r"]) == {"*"}


def test_left_over_rows_join_classes_rather_than_form_one():
    ages = Hierarchy.of({str(age): (str(age), f"{age // 5 * 5} on", "*") for age in range(20, 30)})
    columns = {"age": np.array([20, 20, 21, 22, 23, 27, 28, 29])}

    labels = anonymise(columns, ["age"], Wish(2), hierarchies={"age": ages}).columns["age"].tolist()

    # In pairs, 23 and one of the others would share nothing but the root.
    assert labels == ["20", "20", "20 on", "20 on", "20 on", "25 on", "25 on", "25 on"]


def test_one_name_on_two_levels_is_one_class_to_its_reader():
    ages = Hierarchy.of({str(age): (str(age), str(age // 5 * 5), "*") for age in range(20, 30)})
    columns = {"age": np.array([20, 20, 21, 22, 23, 24])}

    result = anonymise(columns, ["age"], Wish(2), hierarchies={"age": ages})

    assert set(result.columns["age"].tolist()) == {"20"}
    assert (result.report.classes, result.report.smallest_class) == (1, 6)
    assert result.report.ncp == pytest.approx(4 * 4 / 9 / 6)  # two of the six lose nothing


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a,x,*\nb,y\n", "same number of levels"),
        ("a,x,*\nb,y,z\n", r"'\*' as the last"),
        ("a,x,p,*\nb,x,q,*\n", "'x' has two parents"),
        ("a,x,*\na,y,*\n", "line 2: a second path"),
        ("", "same number of levels"),
    ],
)
def test_a_file_that_is_no_tree_is_refused(tmp_path, text, complaint):
    (tmp_path / "region.csv").write_text(text)

    with pytest.raises(BadHierarchy, match=complaint):
        Hierarchy.read(tmp_path / "region.csv")


def test_a_hierarchy_must_cover_the_column_and_keeps_the_value_secret():
    with pytest.raises(BadHierarchy, match="lacks 1 of the values") as refusal:
        anonymise({"r": np.array(["Oslo", "Atlantis"])}, ["r"], Wish(2), hierarchies={"r": REGIONS})

    assert "Atlantis" not in str(refusal.value)


@pytest.mark.parametrize(
    "column",
    [
        np.array([1.0, np.nan]),
        np.array([1.0, -np.inf]),
        np.array(["x", float("nan")], dtype=object),
        np.array(["2024-01-01", "NaT"], dtype="datetime64[D]"),
        np.array([1, 2], dtype="timedelta64[D]"),
        np.array([[1, 2], [3, 4]]),
    ],
)
def test_values_without_a_place_in_a_domain_are_refused(column):
    with pytest.raises(UnusableColumn, match="'age'"):
        anonymise({"age": column}, ["age"], Wish(2))
    with pytest.raises(UnusableColumn, match="'age'"):
        smallest_class({"age": column}, ["age"])


@pytest.mark.parametrize(
    ("names", "wish", "complaint"),
    [
        (["age"], Wish(1), "at least 2"),
        ([], Wish(2), "at least one"),
        (["age", "age"], Wish(2), "only once"),
        (["age"], Wish(2, l=2), "sensitive column"),
        (["age"], Wish(2, t=0.2), "sensitive column"),
        (["age"], Wish(2, "age"), "both sensitive"),
        (["age"], Wish(2, person="age"), "both the person's"),
        (["age"], Wish(2, "sex", t=1.5), "between 0 and 1"),
        (["age"], Wish(2, suppress=1), "below 1"),
        (["age"], Wish(2, weights={"sex": 2}), "A weight needs"),
        (["age"], Wish(2, weights={"age": 0}), "A weight needs"),
        (["age", "short"], Wish(2), "differ in length"),
        (["age"], Wish(2, "short"), "differ in length"),
    ],
)
def test_a_question_without_sense_is_refused(names, wish, complaint):
    with pytest.raises(AnonymisationError, match=complaint):
        anonymise({"age": np.array([1, 2, 3]), "sex": np.array(["f", "m", "f"]), "short": np.array([1])}, names, wish)


def test_an_unknown_column_is_answered_with_those_that_exist():
    with pytest.raises(UnknownColumn, match="No column 'agee'; there are 'age', 'sex'"):
        anonymise({"age": np.array([1, 2]), "sex": np.array(["f", "m"])}, ["agee"], Wish(2))


def test_fewer_than_k_rows_are_refused_even_none():
    with pytest.raises(TooFewRows, match="2 rows; k=3"):
        anonymise({"age": np.array([7, 7])}, ["age"], Wish(3))
    for nothing in (np.array([], dtype=int), np.array([], dtype=object)):
        with pytest.raises(TooFewRows, match="0 rows"):
            anonymise({"age": nothing}, ["age"], Wish(2))


def test_numbers_at_the_edge_of_their_type_are_kept_apart():
    whole = np.array([-(2**63), -(2**63), 2**63 - 1, 2**63 - 1])
    broken = np.array([-1.7e308, -1.7e308, 1.7e308, 1.7e308])

    assert anonymise({"n": whole}, ["n"], Wish(2)).columns["n"].tolist() == [str(n) for n in whole.tolist()]
    assert anonymise({"n": broken}, ["n"], Wish(4)).report.ncp == 1


def test_many_wide_columns_do_not_overflow_the_grouping_key():
    # Rows i and i + 2048 differ in the first column only, whose place value in a plain key would be 2**66.
    people = np.arange(2048)
    columns = {f"c{n}": np.tile(people, 2) for n in range(1, 7)}
    columns = {"c0": np.concatenate([people, np.roll(people, 1)]), **columns}

    assert smallest_class(columns, list(columns)) == 1
    assert anonymise(columns, list(columns), Wish(5)).report.smallest_class >= 5


@given(rows=people)
def test_smallest_class_counts_equal_rows(rows):
    assert smallest_class(table(rows), QUASI_IDENTIFIERS) == min(Counter(row[:4] for row in rows).values())


def test_the_smallest_class_of_an_empty_table_is_nought():
    assert smallest_class({"segment": np.array([], dtype=object)}, ["segment"]) == 0


def test_the_adult_data_set_stays_useful_at_k_10():
    with gzip.open(DATA / "adult.csv.gz", "rt", newline="") as lines:
        header, *rows = [row for row in csv.reader(lines) if row]
    columns = dict(zip(header, map(np.array, zip(*rows, strict=True)), strict=True))
    columns["age"] = columns["age"].astype(int)

    result = anonymise(columns, ADULT_QUASI_IDENTIFIERS, Wish(10))

    assert result.report.rows == 32561
    assert smallest_class(result.columns, ADULT_QUASI_IDENTIFIERS) >= result.report.smallest_class >= 10
    assert result.report.ncp <= 0.037


@pytest.mark.parametrize(
    ("values", "places"),
    [
        (np.array([10**17, 10**17 + 1, 10**17 + 4]), [0, 0.25, 1]),
        (np.array([-(2**63), 0, 2**63 - 1]), [0, 0.5, 1]),
        (np.array([2**64 - 5, 2**64 - 4, 2**64 - 1], np.uint64), [0, 0.25, 1]),
        (np.array([-1.7e308, 0.0, 1.7e308]), [0, 0.5, 1]),
        (np.array([7]), [0]),
    ],
)
def test_numbers_lie_where_they_are_however_long_they_are(values, places):
    assert NumericDomain(values, has_missing=False).positions.tolist() == pytest.approx(places)


def test_a_hierarchy_may_hold_line_ends_in_quotes_and_signs_that_are_none(tmp_path):
    file = tmp_path / "town.csv"
    file.write_text('"two\nlines",*\nodd\u2028one,*\n', encoding="utf-8", newline="")

    assert list(Hierarchy.read(file).paths) == ["two\nlines", "odd\u2028one"]


@pytest.mark.parametrize("weight", [0, -1, float("nan"), float("inf"), 1e300, 1e-300])
def test_weights_without_sense_are_refused(weight):
    with pytest.raises(AnonymisationError, match="weight"):
        Wish(2, weights={"a": weight}).check(["a"])


@pytest.mark.parametrize("factor", [0, float("nan"), float("inf")])
def test_a_factor_of_diversity_without_sense_is_refused(factor):
    with pytest.raises(AnonymisationError, match="factor c"):
        Wish(2, "d", l=2, diversity="recursive", recursive_c=factor).check(["a"])
