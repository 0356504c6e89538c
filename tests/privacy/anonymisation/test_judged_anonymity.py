"""Tables as ``./assent anonymise`` writes them, judged by others: pycanon finds our k, l and t, anjana our loss."""

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privacy.anonymisation.tables import anonymise_file
from privacy.anonymisation.wish import Wish
from tests.helpers.judges import judge
from tests.helpers.paths import DATA
from tests.privacy.anonymisation.test_kanonymity import ADULT_QUASI_IDENTIFIERS

pytestmark = pytest.mark.long
_PYCANON = Path(__file__).with_name("pycanon_levels.py")
_ANJANA = Path(__file__).with_name("anjana_loss.py")
_QUASI_IDENTIFIERS = ["age", "height", "region", "trade"]
_TABLES = 60


def _question(path: Path, quasi_identifiers: list[str], sensitive: str | None = None) -> dict[str, Any]:
    return {"csv": path.read_text(), "quasi_identifiers": quasi_identifiers, "sensitive": sensitive}


def _written(path: Path, seed: int) -> Path:
    """A table of people as they are, some cells empty."""
    drawn = np.random.default_rng(seed)
    lines = ["age,height,region,trade,diagnosis"]
    for _ in range(drawn.integers(40, 400)):
        height = drawn.choice(["", f"{drawn.normal(172, 9):.1f}"], p=[0.1, 0.9])
        region, trade = drawn.choice(["Oslo", "Bergen", "Malmo", "Rome"]), drawn.choice(["smith", "baker", "", "judge"])
        diagnosis = drawn.choice(["flu", "asthma", "healthy", "burn"], p=[0.2, 0.1, 0.6, 0.1])
        lines.append(f"{drawn.integers(0, 90)},{height},{region},{trade},{diagnosis}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_pycanon_finds_the_k_l_and_t_we_report(tmp_path: Path) -> None:
    ours, asked, raw = [], [], []
    for seed in range(_TABLES):
        source, target = _written(tmp_path / f"{seed}.csv", seed), tmp_path / f"{seed}.out.csv"
        wish = Wish(2 + seed % 9, "diagnosis", l=1 + seed % 3, t=[None, 0.3, 0.15][seed % 3])
        result = anonymise_file(source, target, _QUASI_IDENTIFIERS, wish).result
        ours.append({"k": result.smallest_class, "l": result.fewest_sensitive, "t": pytest.approx(result.furthest)})
        asked.append(wish)
        raw.append(_question(source, _QUASI_IDENTIFIERS, "diagnosis"))

    released = [_question(tmp_path / f"{seed}.out.csv", _QUASI_IDENTIFIERS, "diagnosis") for seed in range(_TABLES)]
    found = judge("pycanon").run(_PYCANON, [*released, *raw])

    assert found[:_TABLES] == ours
    assert all(level["k"] >= wish.k and level["l"] >= wish.l for level, wish in zip(found, asked, strict=False))
    assert all(level["t"] <= wish.t + 1e-9 for level, wish in zip(found, asked, strict=False) if wish.t is not None)
    # The judge is not satisfied by everything: people as they are stand out.
    assert {level["k"] for level in found[_TABLES:]} == {1}


def test_pycanon_finds_our_k_in_the_adult_data_set(tmp_path: Path) -> None:
    source, target = tmp_path / "adult.csv", tmp_path / "out.csv"
    source.write_bytes(gzip.decompress((DATA / "adult.csv.gz").read_bytes()))

    result = anonymise_file(source, target, ADULT_QUASI_IDENTIFIERS, Wish(10)).result

    (found,) = judge("pycanon").run(_PYCANON, [_question(target, ADULT_QUASI_IDENTIFIERS)])
    assert found == {"k": result.smallest_class}
    assert found["k"] >= 10


def test_the_same_hierarchies_lose_more_in_anjana(tmp_path: Path) -> None:
    source, trees, names = tmp_path / "adult.csv", tmp_path / "trees", ["age", "education", "race", "sex"]
    source.write_bytes(gzip.decompress((DATA / "adult.csv.gz").read_bytes()))
    with source.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    trees.mkdir()
    paths = {name: [[value, "*"] for value in sorted({row[name] for row in rows})] for name in names}
    paths["age"] = [[age, f"{int(age) // 5}x5", f"{int(age) // 20}x20", "*"] for age, _ in paths["age"]]
    for name, levels in paths.items():
        (trees / f"{name}.csv").write_text("".join(",".join(path) + "\n" for path in levels))

    ours = anonymise_file(source, tmp_path / "out.csv", names, Wish(10), hierarchies=trees).result

    (found,) = judge("anjana").run(_ANJANA, [{"csv": source.read_text(), "k": 10, "paths": paths}])
    assert found["smallest"] >= 10
    assert ours.ncp < found["ncp"]
