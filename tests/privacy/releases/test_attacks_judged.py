"""Releases attacked by anonymeter: noisy tables give away no more than 1 % beyond the control, copies what we measured.

Adult without its income; the occupation is what is guessed. Each copy is made of one half of the people, the other half
is the control. Labels are read as an attacker reads them: a range by its middle, a set by one of its values.
"""

import csv
import gzip
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privacy.anonymisation.files.opening import open_table
from privacy.anonymisation.tables import anonymise_table, write_copy
from privacy.anonymisation.wish import Wish
from privacy.budgets import mechanisms
from privacy.releases import attacks, gate
from privacy.releases.noisy import counting
from privacy.releases.noisy.domains import OTHER, parse
from tests.helpers.judges import judge
from tests.helpers.paths import DATA

pytestmark = pytest.mark.long
_JUDGE = Path(__file__).with_name("anonymeter_attacks.py")
KNOWN, SECRET = ["age", "education", "marital-status", "race", "sex", "workclass"], "occupation"
NAMES = [*KNOWN, SECRET]
_TRIES = 2_000


@pytest.fixture(scope="module")
def people() -> list[list[str]]:
    """All rows of Adult, in an order of their own."""
    rows = list(csv.DictReader(io.StringIO(gzip.decompress((DATA / "adult.csv.gz").read_bytes()).decode())))
    order = np.random.default_rng(5).permutation(len(rows))
    return [[rows[place][name].strip() for name in NAMES] for place in order]


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([NAMES, *rows])
    return out.getvalue()


def _read(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return [[row[name] for name in NAMES] for row in csv.DictReader(file)]


def _one_value(label: str, rng: np.random.Generator) -> str:
    if found := re.fullmatch(r"(-?[\d.]+)\.\.(-?[\d.]+)", label):
        return str((float(found[1]) + float(found[2])) / 2)
    return str(rng.choice(label.split("|")))


def _copy(tmp_path: Path, rows: Sequence[Sequence[str]], wish: Wish) -> list[list[str]]:
    source, target, rng = tmp_path / "in.csv", tmp_path / "out.csv", np.random.default_rng(6)
    source.write_text(_csv(rows))
    anonymise_table(open_table(source), target, KNOWN, wish, keep=[SECRET])
    return [[*(_one_value(label, rng) for label in row[:-1]), row[-1]] for row in _read(target)]


def _noisy(tmp_path: Path, people: list[list[str]], name: str) -> tuple[Any, Any, Any]:
    """One table over all columns, read as rows: as many of each cell as its noisy count says; both halves in cells."""
    path, cut = tmp_path / "in.csv", len(people) // 2
    path.write_text(_csv(people[:cut]))
    texts = {name: ",".join(sorted({row[place] for row in people})) for place, name in enumerate(NAMES)}
    domains = {each: parse(each, "17..90 by 10" if each == "age" else texts[each]) for each in NAMES}
    shown = ["age", "education", "sex", SECRET]
    (counted,) = counting.count(open_table(path), domains, [shown], person=None, rows_each=1)
    mechanism, target = mechanisms.of(name, 1.0, 1e-6), tmp_path / "noisy.csv"
    counting.write(target, target, [(counted, mechanism.draw(counted.cells.tolist()), mechanism.margin())], 20)
    with target.open(newline="") as file:
        cells = [([row[each] for each in shown], int(row["count"] or 0)) for row in csv.DictReader(file)]
    copy = [row for row, number in cells for _ in range(number)]
    halves = []
    for half in (people[:cut], people[cut:]):
        places = [NAMES.index(each) for each in shown]
        kept = [[row[place] for place in places] for row in half]
        for row in kept:
            row[0] = domains["age"].labels[domains["age"]._cell(row[0])]
        halves.append(kept)
    header = [shown]
    tables = []
    for rows in (halves[0], [row for row in copy if OTHER not in row], halves[1]):
        out = io.StringIO()
        csv.writer(out).writerows([*header, *rows])
        tables.append(out.getvalue())
    return tables[0], tables[1], tables[2]


def _asked(inside: str, copy: str, control: str, known: list[str], numbers: list[str]) -> dict[str, Any]:
    said = {"known": known, "secret": SECRET, "numbers": numbers, "tries": _TRIES, "queries": 500, "columns": 3}
    return {"in": inside, "copy": copy, "control": control, **said}


def test_noisy_tables_give_anonymeter_no_more_than_the_control_and_one_percent(people, tmp_path):
    known = ["age", "education", "sex"]
    asked = [_asked(*_noisy(tmp_path, people, name), known, []) for name in ("geometric", "gaussian")]
    inside, control = asked[0]["in"], asked[0]["control"]
    found = judge("anonymeter").run(_JUDGE, [*asked, _asked(inside, inside, control, known, [])])

    for verdict in found[:2]:
        for attack, rates in verdict.items():
            assert rates["rate"] <= rates["control"] + 0.01, (attack, rates)
    # The judge is not satisfied by everything: people as they are.
    assert found[2]["singling out"]["rate"] > found[2]["singling out"]["control"] + 0.3


def test_anonymeter_finds_what_we_measure_of_copies(people, tmp_path):
    """Our attacker learns at least what the judge's does; smaller k gives more away by both."""
    people = people[:12_000]
    cut = len(people) // 2
    wishes = [Wish(2), Wish(10), Wish(10, SECRET, l=2, t=0.2), Wish(50)]
    copies = [_copy(tmp_path, people[:cut], wish) for wish in wishes]
    inside, control = _csv(people[:cut]), _csv(people[cut:])
    found = judge("anonymeter").run(
        _JUDGE, [_asked(inside, _csv(copy), control, KNOWN, ["age"]) for copy in (*copies, people[:cut])]
    )

    path = tmp_path / "all.csv"
    path.write_text(_csv(people))
    roles = attacks.Roles(KNOWN, [], [SECRET], None)
    ours = []
    for wish in wishes:

        def anonymise(part: Any, copy: Path, wish: Wish = wish) -> None:
            write_copy(part, copy, attacks.KIND, KNOWN, wish, keep=[SECRET])

        measured = attacks.measure(open_table(path), len(people), roles, anonymise)
        ours.append({each.name: each for each in measured})

    for wish, verdict, mine in zip(wishes, found, ours, strict=False):
        # Our attacker reads classes whole, and so learns at least what a nearest row says.
        assert mine[gate.INFERENCE].excess >= verdict["inference"]["risk"] - 0.05, (wish, verdict, mine)
    theirs = [verdict["inference"]["risk"] for verdict in found]
    assert theirs[4] > theirs[0] > theirs[3]
    assert ours[0][gate.INFERENCE].excess > ours[1][gate.INFERENCE].excess > ours[3][gate.INFERENCE].excess
