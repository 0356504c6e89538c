"""Figures of ``bench recommender``, recomputed by ranx from the exported lists."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from governance.bench.recommender import movielens, quality
from personalization.recommender.validation import metrics
from tests.helpers.judges import judge

pytestmark = pytest.mark.long
_RANX = Path(__file__).with_name("ranx_figures.py")


def _drawn(seed: int) -> dict[str, Any]:
    """Return lists of any length up to ten, hits and misses, of people with one or many relevant items."""
    draw = np.random.default_rng(seed)
    people = [str(person) for person in range(40)]
    relevant = {who: [str(item) for item in draw.permutation(30)[: draw.integers(1, 25)]] for who in people}
    lists = {who: [str(item) for item in draw.permutation(30)[: draw.integers(0, 11)]] for who in people}
    return {"relevant": relevant, "lists": {f"drawn {seed}, S": lists}}


def _ours(relevant: Mapping[str, Sequence[str]], lists: Mapping[str, Sequence[str]]) -> dict[str, float]:
    hits = {who: [item in relevant[who] for item in some] for who, some in lists.items()}
    return {
        "ndcg_at_10": float(np.mean([metrics.ndcg(some, len(relevant[who])) for who, some in hits.items()])),
        "precision": float(np.mean([sum(some) / 10 for some in hits.values()])),
        "recall": float(np.mean([sum(some) / len(relevant[who]) for who, some in hits.items()])),
    }


@pytest.mark.parametrize("seed", [0, 1])
def test_ranx_finds_our_figures_in_drawn_lists(seed: int) -> None:
    exported = _drawn(seed)

    found = judge("ranx").run(_RANX, exported)

    for what, lists in exported["lists"].items():
        assert found[what] == pytest.approx(_ours(exported["relevant"], lists), abs=1e-9)


@pytest.mark.skipif(
    "ASSENT_TEST_MOVIELENS" not in os.environ,
    reason=f"MovieLens-100K may not be passed on: name the wheel of {movielens.PACKAGE} in ASSENT_TEST_MOVIELENS",
)
def test_ranx_finds_the_figures_of_movielens(tmp_path: Path) -> None:
    path, lists = Path(os.environ["ASSENT_TEST_MOVIELENS"]), tmp_path / "lists.json"
    rows = quality.run(quality.Asked(path=path, lists=lists, seeds=(0,)), lambda _text: None)

    found = judge("ranx").run(_RANX, json.loads(lists.read_text()))

    stated = {f"{row.what}, {row.figures['protocol']}": row.figures for row in rows if "precision" in row.figures}
    assert set(stated) == set(found)
    for what, figures in found.items():
        assert stated[what]["ndcg_at_10"] == pytest.approx(figures["ndcg_at_10"], abs=6e-5)
        assert stated[what]["precision"] == pytest.approx(figures["precision"], abs=6e-4)
        assert stated[what]["recall"] == pytest.approx(figures["recall"], abs=6e-4)
