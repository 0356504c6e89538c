"""Delta-presence: recomputed from the labels of the copy, and by the paper's definition."""

import csv
import itertools
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.anonymisation.command import main
from privacy.anonymisation.errors import AnonymisationError, UnusableTable
from privacy.anonymisation.files.opening import open_table
from privacy.anonymisation.measuring.presence import Population, PresenceTooCertain
from privacy.anonymisation.tables import anonymise_file
from privacy.anonymisation.wish import Wish

_PEOPLE = st.lists(st.tuples(st.integers(18, 60), st.sampled_from("RMTP")), min_size=8, max_size=40)
_TREE = "R,north,*\nM,north,*\nT,south,*\nP,south,*\n"


def _write(path: Path, rows) -> Path:
    path.write_text("age,town\n" + "".join(f"{age},{town}\n" for age, town in rows))
    return path


def _copy(tmp_path, people, inside, k=2, *, least=0.0, most=1.0, tree=False, suppress=0.0):
    public, source = _write(tmp_path / "public.csv", people), _write(tmp_path / "table.csv", inside)
    trees = None
    if tree:
        trees = tmp_path / "trees"
        trees.mkdir(exist_ok=True)
        (trees / "town.csv").write_text(_TREE)
    return anonymise_file(
        source,
        tmp_path / "copy.csv",
        ["age", "town"],
        Wish(k, suppress=suppress),
        hierarchies=trees,
        population=Population(open_table(public), least, most),
    )


def _by_labels(copy: Path, people):
    """Read the copy as an attacker does: chances of presence, and the fewest people that a class covers."""
    with copy.open(newline="") as lines:
        classes = Counter((row["age"], row["town"]) for row in csv.DictReader(lines))
    covered = {each: [_covers(each, person) for person in people] for each in classes}
    chances = [
        min(1, sum(rows / sum(covered[each]) for each, rows in classes.items() if covered[each][place]))
        for place in range(len(people))
    ]
    return min(chances), max(chances), min(sum(found) for each, found in covered.items() if each != ("*", "*"))


def _covers(labels, person):
    (age, town), (years, place) = labels, person
    low, _, high = age.partition("..")
    towns = {"north": "RM", "south": "TP", "*": "RMTP"}.get(town, town.split("|"))
    return (age == "*" or int(low) <= years <= int(high or low)) and place in towns


@pytest.mark.parametrize("tree", [False, True])
@settings(max_examples=25)
@given(people=_PEOPLE, chosen=st.randoms(use_true_random=False), suppress=st.sampled_from([0.0, 0.3]))
def test_chances_are_those_that_the_labels_give(tmp_path_factory, people, chosen, tree, suppress):
    tmp_path = tmp_path_factory.mktemp("presence")
    inside = chosen.sample(people, max(4, len(people) // 2))

    report = _copy(tmp_path, people, inside, tree=tree, suppress=suppress)

    least, most, fewest = _by_labels(tmp_path / "copy.csv", people)
    assert report.presence.least == pytest.approx(least)
    assert report.presence.most == pytest.approx(most)
    assert (report.presence.population, report.presence.fewest_covered) == (len(people), fewest)
    assert report.result.risk.journalist == pytest.approx(min(1 / report.result.smallest_class, 1 / fewest))


def test_where_classes_do_not_overlap_it_is_the_paper_s_definition(tmp_path):
    people = [(20, "R"), (20, "R"), (21, "R"), (40, "T"), (41, "T"), (41, "T"), (41, "T")]
    inside = [people[0], people[2], people[3], people[5], people[6]]

    found = _copy(tmp_path, people, inside).presence

    # Every table that would be published as the same copy is as likely as any other.
    same = [
        tables
        for size in [len(inside)]
        for tables in itertools.combinations(range(len(people)), size)
        if sum(place < 3 for place in tables) == 2
    ]
    chances = [sum(place in tables for tables in same) / len(same) for place in range(len(people))]
    assert (found.least, found.most) == (pytest.approx(min(chances)), pytest.approx(max(chances)))


def test_a_public_table_that_is_twice_as_large_halves_the_chances(tmp_path):
    people = [(age, town) for age in (20, 30, 40) for town in "RT"] * 4

    once, twice = (_copy(tmp_path, people * times, people[:12]).presence for times in (1, 2))

    assert twice.most == pytest.approx(once.most / 2)


def test_a_copy_that_says_too_surely_who_is_in_it_is_refused(tmp_path):
    people = [(age, "R") for age in range(20, 40)]

    with pytest.raises(PresenceTooCertain, match=r"not within 0 to 0\.5"):
        _copy(tmp_path, people, people[:10], most=0.5)
    assert not (tmp_path / "copy.csv").exists()
    assert _copy(tmp_path, people, people[::2], k=10, most=0.6).presence.most <= 0.6


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("age,city\n20,R\n", "'town'"),
        ("age,town\nold,R\nyoung,M\n", "'age' of the public table"),
        ("age,town\n", "no rows"),
    ],
)
def test_a_public_table_that_does_not_fit_is_refused(tmp_path, text, complaint):
    public, source = tmp_path / "public.csv", _write(tmp_path / "table.csv", [(20, "R"), (21, "M")])
    public.write_text(text)

    with pytest.raises(AnonymisationError, match=complaint):
        anonymise_file(
            source, tmp_path / "copy.csv", ["age", "town"], Wish(2), population=Population(open_table(public))
        )
    assert not (tmp_path / "copy.csv").exists()


def test_chances_that_are_none_are_refused(tmp_path):
    with pytest.raises(AnonymisationError, match="from 0 to 1"):
        Population(open_table(_write(tmp_path / "p.csv", [(1, "R")])), 0.6, 0.4).check()


def test_the_command_measures_presence_and_keeps_to_its_limits(tmp_path, capsys):
    people = [(age, "R") for age in range(20, 40)]
    public, source = _write(tmp_path / "public.csv", people), _write(tmp_path / "table.csv", people[::2])
    copy = tmp_path / "copy.csv"
    words = [str(source), "--qi", "age,town", "-k", "10", "-o", str(copy), "--population", str(public)]

    assert main([*words, "--presence", "0,0.4"]) == 1
    assert "not within 0 to 0.4" in capsys.readouterr().err
    assert main([*words, "--presence", "0,0.6"]) == 0
    assert "20 people is in the table is 0.0000 to" in capsys.readouterr().out
    said = json.loads((tmp_path / "copy.csv.report.json").read_text())["presence"]
    assert said["population"] == 20
    assert 0.5 <= said["most"] <= 0.6


def test_types_of_the_two_tables_have_to_agree(tmp_path):
    source, public = _write(tmp_path / "t.csv", [(20, "R"), (21, "M")]), _write(tmp_path / "p.csv", [("a", "R")])

    with pytest.raises(UnusableTable, match="of another type"):
        anonymise_file(source, tmp_path / "c.csv", ["age", "town"], Wish(2), population=Population(open_table(public)))
