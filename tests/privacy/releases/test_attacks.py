"""Attacks: what is unprotected is found out, what is safe is not, and only what the control does not say counts."""

import csv
import random
import tempfile

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from privacy.anonymisation.files.opening import open_table
from privacy.anonymisation.tables import write_copy
from privacy.anonymisation.wish import Wish
from privacy.releases import attacks, gate, publishing
from privacy.releases.attacks import Attack, Roles, _halves, measure
from privacy.releases.measures.labels import fitting

QUASI, ILLNESS = ["age", "city", "trade"], "illness"
ROLES = Roles(QUASI, ["visits"], [ILLNESS], None)
ROWS = 3_000


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """People whose illness follows from their city for half of them, and from nothing else."""
    rng, path = random.Random(3), tmp_path_factory.mktemp("attacks") / "people.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["who", *QUASI, "visits", ILLNESS])
        for place in range(ROWS):
            city = rng.choice("RMTP")
            illness = (
                f"of {city}" if rng.random() < 0.5 else rng.choice(["of R", "of M", "of T", "of P", "flu", "gout"])
            )
            trade = rng.choice(["smith", "baker", "judge", "cook|chef", "miller", "priest"])
            out.writerow([f"p{place % 700}", rng.randint(18, 80), city, trade, rng.randint(1, 9), illness])
    return open_table(path)


def _copied(source, target):
    """The trap: nothing is made safe."""
    parquet.write_table(parquet.read_table(source.path), target)


def _safe(wish, **how):
    return lambda source, copy: write_copy(source, copy, attacks.KIND, QUASI, wish, keep=["visits", ILLNESS], **how)


def _found(table, anonymise, roles=ROLES):
    return {each.name: each for each in measure(table, ROWS, roles, anonymise)}


def test_a_copy_that_is_not_safe_is_found_out(table):
    found = _found(table, _copied)

    assert found[gate.SINGLING_OUT].excess > 0.9
    assert found[gate.INFERENCE].rate > 0.7
    assert found[gate.INFERENCE].excess > 0.5


@pytest.fixture(scope="module")
def stays(tmp_path_factory):
    """People with four stays each, and an illness of their own that no quasi-identifier says anything of."""
    rng, path = random.Random(5), tmp_path_factory.mktemp("attacks") / "stays.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["who", *QUASI, "visits", ILLNESS])
        for person in range(700):
            illness = rng.choice(["flu", "gout", "ulcer", "asthma"])
            for _ in range(4):
                out.writerow([f"p{person}", rng.randint(18, 80), rng.choice("RMTP"), "cook", 1, illness])
    return open_table(path)


def test_a_pseudonym_that_joins_the_rows_of_a_person_is_found_out(stays):
    """Each row is one of ten; the four of a person together are that person's alone."""
    roles = Roles(QUASI, ["visits"], [ILLNESS], "who")
    joined = Roles(QUASI, ["visits"], [ILLNESS], None, ["who"])
    wish = Wish(k=10, sensitive=(ILLNESS,), person=None)

    def anonymise(source, copy):
        write_copy(source, copy, attacks.KIND, QUASI, wish, keep=[*source.header])

    alone = _found(stays, anonymise, roles)[gate.INFERENCE]
    found = _found(stays, anonymise, joined)[gate.INFERENCE]

    assert alone.excess < 0.2
    assert found.excess > 0.5
    assert found.tries == found.control_tries == attacks.MOST_JOINED


def test_rows_without_a_pseudonym_are_joined_to_nothing(tmp_path):
    path = tmp_path / "empty.csv"
    path.write_text("who,age,illness\n" + ",30,flu\n" * 30 + "".join(f"p{n},30,gout\n" for n in range(8)))

    def anonymise(source, copy):
        write_copy(source, copy, attacks.KIND, ["age"], Wish(k=2), keep=[*source.header])

    found = measure(open_table(path), 38, Roles(["age"], [], [ILLNESS], None, ["who"]), anonymise)

    assert not found[1].is_measured, "too few people"


def test_the_sample_and_its_copy_are_in_no_file_system(table, tmp_path, monkeypatch):
    """So nothing of them is left of a worker that is killed, either."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []

    def anonymise(source, copy):
        _safe(Wish(k=10))(source, copy)
        seen.extend(path.readlink() for path in (source.path, copy))
        seen.extend(tmp_path.iterdir())

    assert _found(table, anonymise)
    assert [str(place).partition(":")[0] for place in seen] == ["/memfd", "/memfd"]


def test_what_is_known_of_people_at_large_is_no_finding(table):
    """In large classes the illness is guessed from the city alone: of people in the copy as of all others."""
    found = _found(table, _safe(Wish(100)))[gate.INFERENCE]

    assert found.control > 0.25
    assert found.excess < 0.06


def test_smaller_classes_give_more_away(table):
    small, large = (_found(table, _safe(Wish(k)))[gate.INFERENCE].excess for k in (2, 40))

    assert small > large + 0.1


def test_shares_of_values_near_those_of_the_table_leave_nothing_to_guess(table):
    without = _found(table, _safe(Wish(5, ILLNESS, l=2)))[gate.INFERENCE].excess
    close = _found(table, _safe(Wish(5, ILLNESS, l=2, t=0.15)))[gate.INFERENCE].excess

    assert close < without / 2


def test_the_same_table_gives_the_same_figures(table):
    assert measure(table, ROWS, ROLES, _safe(Wish(5))) == measure(table, ROWS, ROLES, _safe(Wish(5)))


def test_people_are_on_one_side_with_all_their_rows(table):
    roles = Roles(QUASI, [], [ILLNESS], "who")
    inside, control = (set(half["who"].to_pylist()) for half in _halves(table, ROWS, roles))

    assert not inside & control
    assert 200 < len(inside) < 500


def test_a_large_table_is_sampled(table, monkeypatch):
    monkeypatch.setattr(attacks, "MOST_ROWS", 600)
    inside, control = _halves(table, ROWS, ROLES)

    assert 230 < len(inside) < 370
    assert 230 < len(control) < 370


@pytest.mark.parametrize(
    ("label", "fits"),
    [
        ("17..30", ["17", "20.5", "30"]),
        ("20.5", ["20.5"]),
        ("?|17..20", ["17", "?"]),
        ("red|b\\|c", ["red", "b|c"]),
        ("2024-01-01..2024-02-01", ["2024-01-20"]),
        ("*", []),
    ],
)
def test_a_label_covers_its_values(label, fits):
    values = np.array(["17", "20.5", "30", "31", "?", "red", "b|c", "b", "2024-01-20", "2024-03-01"], dtype=object)

    assert [value for value, is_in in zip(values, fitting(np.array([label], dtype=object), values)[0], strict=True)
            if is_in] == fits  # fmt: skip


def test_the_excess_is_of_what_the_control_leaves_open():
    assert Attack(gate.INFERENCE, 1_000, 600, 1_000, 200).excess == pytest.approx(0.5)
    assert Attack(gate.INFERENCE, 1_000, 100, 1_000, 200).excess == 0
    assert Attack(gate.INFERENCE, 1_000, 1_000, 1_000, 1_000).excess == 0
    assert Attack(gate.INFERENCE, 150, 150, 1_000, 0).as_document()["excess"] is None
    assert Attack(gate.SINGLING_OUT, 0, 0, 0, 0).as_document()["excess"] == 0


def test_types_of_parquet_are_attacked_as_texts_are(table, tmp_path):
    path = tmp_path / "people.parquet"
    rows = pa.concat_tables(pa.table(part) for part in table.batches(ROLES.names))
    typed = rows.set_column(0, "age", rows["age"].cast(pa.string()).cast(pa.int64()))
    parquet.write_table(typed, path)

    assert measure(open_table(path), ROWS, ROLES, _safe(Wish(5))) == measure(table, ROWS, ROLES, _safe(Wish(5)))


@pytest.mark.django_db
def test_attacks_stand_beside_k_and_are_limited_by_the_policy(made, file, monkeypatch):
    monkeypatch.setattr(attacks, "FEWEST", 20)
    row = made()
    found = {each["name"]: each for each in row.figures["attacks"]}
    assert set(found) == {gate.SINGLING_OUT, gate.INFERENCE}
    facts = publishing.facts_of(row)
    assert facts.inferred == int(np.ceil(found[gate.INFERENCE]["excess"] * 1_000))

    found[gate.INFERENCE]["excess"] = 0.2001
    row.figures = {**row.figures, "attacks": list(found.values())}
    assert [reason.code for reason in publishing.verdict_of(row).reasons] == ["inferred_too_often"]
    found[gate.INFERENCE]["excess"] = None
    verdict = publishing.verdict_of(row)
    assert verdict.is_permitted
    assert [warning.code for warning in verdict.warnings] == ["attack_unmeasured"]


@pytest.mark.django_db
def test_a_table_too_small_to_be_halved_is_released_with_a_warning(made):
    row = made(k=60, l=1, roles={"name": "direct", "age": "quasi", "city": "quasi", "illness": "sensitive",
                                 "visits": "other"})  # fmt: skip

    assert row.state == "done"
    assert publishing.facts_of(row).inferred is None
