"""People whose row a release left out: candidates are those of attackers who try every row, or every assignment."""

from itertools import permutations

import numpy as np
from hypothesis import strategies as st

from privacy.anonymisation.generalisation import MISSING, Hierarchy
from privacy.releases.measures.labels import below, fitting
from privacy.releases.measures.left_out import Found, Side, candidates
from tests.helpers.scale import property_test

LEFT_OUT = 9
TREE = Hierarchy.of({place: (place, "north" if place in "RM" else "south", "*") for place in "RMTP"})


@st.composite
def releases(draw):
    """Two releases of one small table: the values of each row, and its class in both; LEFT_OUT is none."""
    rows = draw(st.integers(1, 6))
    ages = draw(st.lists(st.sampled_from(["1", "2", "3", ""]), min_size=rows, max_size=rows))
    towns = draw(st.lists(st.sampled_from("RMTP"), min_size=rows, max_size=rows))
    classes = st.lists(st.sampled_from([0, 1, LEFT_OUT]), min_size=rows, max_size=rows)
    return [age or MISSING for age in ages], towns, draw(classes), draw(classes), draw(st.booleans())


def _labels(ages, towns, classes, of_class, has_tree):
    """Labels of a class, written without the product: the range or set of ages, the set or node of towns."""
    inside = [row for row, own in enumerate(classes) if own == of_class]
    numbers = sorted(ages[row] for row in inside if ages[row] != MISSING)
    age = numbers[0] if len(set(numbers)) == 1 else f"{numbers[0]}..{numbers[-1]}" if numbers else MISSING
    if numbers and len(numbers) < len(inside):
        age = f"{age}|{MISSING}"
    own = sorted({towns[row] for row in inside})
    if not has_tree or len(own) == 1:
        return age, "|".join(own)
    sides = {"north" if town in "RM" else "south" for town in own}
    return age, sides.pop() if len(sides) == 1 else "*"


def _covers(label, age, town):
    """Say by hand whether labels cover a person."""
    ages, towns = label
    is_age = False
    for part in ages.split("|"):
        low, _, high = part.partition("..")
        is_age |= part == age or (MISSING not in (part, age) and low <= age <= (high or low))
    below = {"*": "RMTP", "north": "RM", "south": "TP"}.get(towns, towns.split("|"))
    return is_age and town in below


def _measured(ages, towns, first, second, has_tree):
    pairs = sorted(set(zip(first, second, strict=True)))
    rows = np.array([sum((a, b) == pair for a, b in zip(first, second, strict=True)) for pair in pairs])
    values = {"age": np.array(ages, dtype=object), "town": np.array(towns, dtype=object)}
    found = []
    for place, classes in enumerate((first, second)):
        known = sorted(set(classes))
        labels = [("*", "*") if each == LEFT_OUT else _labels(ages, towns, classes, each, has_tree) for each in known]
        places = np.arange(len(known))
        columns = {"age": ([age for age, _ in labels], places), "town": ([town for _, town in labels], places)}
        left_out = known.index(LEFT_OUT) if LEFT_OUT in known else None
        side = Side(columns, left_out, frozenset({"age"}), {"town": TREE} if has_tree else {})
        of_pairs = np.array([known.index(pair[place]) for pair in pairs])
        found.append(Found(side, of_pairs, np.array([known.index(each) for each in classes]), values))
    return candidates(*found, rows).tolist()


def _fits(ages, towns, classes, has_tree, person, row):
    """Say whether a row may be a person's in one release: left out, of the class that shows it, or of one that may."""
    if classes[row] == LEFT_OUT:
        return True if classes[person] == LEFT_OUT else None
    if classes[person] != LEFT_OUT:
        return classes[row] == classes[person]
    return _covers(_labels(ages, towns, classes, classes[row], has_tree), ages[person], towns[person])


@property_test(120, 30_000, release=releases())
def test_candidates_are_the_rows_that_fit_what_both_releases_show(release):
    ages, towns, *classes, has_tree = release
    rows = range(len(ages))

    expected = [
        sum(all(_fits(ages, towns, each, has_tree, person, row) for each in classes) for row in rows) for person in rows
    ]

    assert _measured(*release) == expected


@property_test(80, 5_000, release=releases())
def test_who_knows_of_all_people_what_can_be_known_rules_no_candidate_out(release):
    """Every assignment of people to rows that both releases allow is tried: none has fewer rows for a person."""
    ages, towns, *classes, has_tree = release
    rows = range(len(ages))
    allowed = [
        [all(_fits(ages, towns, each, has_tree, person, row) is not False for each in classes) for row in rows]
        for person in rows
    ]
    possible = [set() for _ in rows]
    for assignment in permutations(rows):
        if all(allowed[person][row] for person, row in enumerate(assignment)):
            for person, row in enumerate(assignment):
                possible[person].add(row)

    for measured, found in zip(_measured(*release), possible, strict=True):
        assert 1 <= measured <= len(found)


def test_a_row_that_is_in_one_release_alone_is_with_those_alone():
    side = Side({"town": (["R|M", "*"], np.arange(2))}, 1)
    own = Found(side, np.array([0, 1, 1]), np.array([1, 1]), {"town": np.array(["R", "T"], dtype=object)})
    other = Found(Side({"town": (["*"], np.arange(1))}, None), np.array([-1, -1, 0]), np.array([-1, 0]), {})

    assert candidates(own, other, np.array([4, 2, 7])).tolist() == [6, 7]


def test_labels_of_texts_are_no_ranges_and_nodes_cover_what_is_below():
    values = np.array(["15", "10..20", MISSING], dtype=object)
    labels = np.array(["10..20", MISSING], dtype=object)

    assert fitting(labels, values, ranges=False).tolist() == [[False, True, False], [False, False, True]]
    assert fitting(labels, values).tolist()[0] == [True, True, False]
    nodes = np.array(["north", "R", "*", MISSING], dtype=object)
    towns = np.array(["R", "T", MISSING], dtype=object)
    assert below(nodes, towns, TREE).tolist() == [
        [True, False, False], [True, False, False], [True, True, True], [False, False, True],
    ]  # fmt: skip
