"""Tables that are grouped and joined by SQL: the copy of one part, the promise of many, and the same from Spark."""

import random
import shutil
from pathlib import Path

import pytest

from common.analytics.workshop import Workshop
from privacy.anonymisation import coding, tables
from privacy.anonymisation.errors import TooFewRows
from privacy.anonymisation.measuring.report import AnonymisationReport
from privacy.anonymisation.tables import anonymise_file
from privacy.anonymisation.wish import Wish
from tests.helpers.judges import judge
from tests.helpers.paths import CHECKOUT
from tests.helpers.scale import scale

NAMES = ["age", "town", "born"]
WISHES = (
    {"k": 4},
    {"k": 4, "fast": True},
    {"k": 4, "suppress": 0.05, "weights": {"age": 2.0}},
    {"k": 3, "sensitive": "illness", "l": 2, "t": 0.4},
    {"k": 3, "sensitive": ("illness", "party"), "l": 2},
    {"k": 3, "person": "who"},
)


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    chance = random.Random(19)
    lines = ["age,town,born,illness,party,who"]
    for _ in range(400):
        born = f"19{chance.randrange(50, 99)}-0{chance.randrange(1, 9)}-11"
        cells = (chance.choice("RMTP?"), born, chance.choice(["flu", "gout", "none"]), chance.choice("xyz"))
        lines.append(f"{chance.randrange(18, 70)},{','.join(cells)},p{chance.randrange(90)}")
    path = tmp_path_factory.mktemp("rounds") / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def workshop(tmp_path, monkeypatch) -> Workshop:
    monkeypatch.setattr(coding, "_MERGED_AT", 10)
    monkeypatch.setattr(tables, "MOST_IN_MEMORY", 10)
    return Workshop(tmp_path / "work", memory_mb=128)


def _copy(table, folder, wish, **more):
    return anonymise_file(table, folder / "copy.csv", NAMES, Wish(**wish), **more)


@pytest.mark.parametrize("wish", WISHES)
def test_a_table_of_one_part_becomes_the_copy_that_is_made_in_memory(table, tmp_path, workshop, wish):
    by_sql, in_memory = (_copy(table, tmp_path, wish, **more) for more in ({"workshop": workshop}, {}))

    assert by_sql == in_memory


@pytest.mark.parametrize("wish", WISHES)
def test_every_class_of_every_part_is_what_was_asked(table, tmp_path, workshop, monkeypatch, wish):
    monkeypatch.setattr(tables, "COMBINATIONS_IN_A_PART", 40)

    result: AnonymisationReport = _copy(table, tmp_path, wish, workshop=workshop).result

    assert result.smallest_class >= wish["k"]
    assert result.rows == 400
    assert result.suppressed <= 400 * wish.get("suppress", 0)
    assert (result.fewest_sensitive or 9) >= wish.get("l", 1)
    assert (result.furthest or 0) <= wish.get("t", 1) + 1e-9
    assert list(workshop.root.iterdir()) == []  # nothing is left of the engine's files


def test_a_part_that_cannot_stand_alone_belongs_to_another(table, tmp_path, workshop, monkeypatch):
    monkeypatch.setattr(tables, "COMBINATIONS_IN_A_PART", 1)

    assert _copy(table, tmp_path, {"k": 30}, workshop=workshop).result.smallest_class >= 30


def test_fewer_rows_than_k_are_refused_by_rounds_too(table, tmp_path, workshop):
    with pytest.raises(TooFewRows, match="400 rows"):
        _copy(table, tmp_path, {"k": 401}, workshop=workshop)

    assert not (tmp_path / "copy.csv").exists()


@scale("wishes", small=1, long=len(WISHES))
def test_spark_makes_the_same_copies_bit_by_bit(wishes, table, tmp_path, workshop, monkeypatch):
    if shutil.which("java") is None:
        pytest.skip("NO JAVA: Spark was NOT COMPARED with DuckDB. It needs Java 17 or newer on the PATH.")
    spark = judge("spark", lock="spark")
    asked = [(40, wish) for wish in WISHES[:wishes]]
    ours = []
    for part, wish in asked:
        monkeypatch.setattr(tables, "COMBINATIONS_IN_A_PART", part)
        ours.append(_copy(table, tmp_path, wish, workshop=workshop).target_sha256)

    theirs = spark.run(
        Path(__file__).with_name("rounds_side.py"),
        {"checkout": str(CHECKOUT), "table": str(table), "names": NAMES, "wishes": asked},
    )

    assert theirs == ours
