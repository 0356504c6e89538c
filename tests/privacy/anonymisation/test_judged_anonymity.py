"""Tables as ``./assent anonymise`` writes them, judged by pycanon: it finds the k and the l that we report."""

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
        diagnosis = drawn.choice(["flu", "asthma", "none", "burn"], p=[0.2, 0.1, 0.6, 0.1])
        lines.append(f"{drawn.integers(0, 90)},{height},{region},{trade},{diagnosis}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_pycanon_finds_the_k_and_l_we_report(tmp_path: Path) -> None:
    ours, asked, raw = [], [], []
    for seed in range(_TABLES):
        source, target = _written(tmp_path / f"{seed}.csv", seed), tmp_path / f"{seed}.out.csv"
        k, least = 2 + seed % 9, 1 + seed % 3
        result = anonymise_file(source, target, _QUASI_IDENTIFIERS, Wish(k, "diagnosis", l=least)).result
        ours.append({"k": result.smallest_class, "l": result.fewest_sensitive})
        asked.append((k, least))
        raw.append(_question(source, _QUASI_IDENTIFIERS, "diagnosis"))

    released = [_question(tmp_path / f"{seed}.out.csv", _QUASI_IDENTIFIERS, "diagnosis") for seed in range(_TABLES)]
    found = judge("pycanon").run(_PYCANON, [*released, *raw])

    assert found[:_TABLES] == ours
    assert all(level["k"] >= k and level["l"] >= least for level, (k, least) in zip(ours, asked, strict=True))
    # The judge is not satisfied by everything: people as they are stand out.
    assert {level["k"] for level in found[_TABLES:]} == {1}


def test_pycanon_finds_our_k_in_the_adult_data_set(tmp_path: Path) -> None:
    source, target = tmp_path / "adult.csv", tmp_path / "out.csv"
    source.write_bytes(gzip.decompress((DATA / "adult.csv.gz").read_bytes()))

    result = anonymise_file(source, target, ADULT_QUASI_IDENTIFIERS, Wish(10)).result

    (found,) = judge("pycanon").run(_PYCANON, [_question(target, ADULT_QUASI_IDENTIFIERS)])
    assert found == {"k": result.smallest_class}
    assert found["k"] >= 10
