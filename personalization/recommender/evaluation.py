"""Evaluation of the levels at a person's held-out last interaction: the figures of the model card."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from common.levels import Level
from personalization.recommender.interactions import Interaction, Interactions, Item, Person
from personalization.recommender.model import Model
from personalization.recommender.training import train

RANKS = 10
SESSION_LENGTH = 2
"""The interactions just before the held-out one that count as this session: not yet stored as history."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Mean nDCG@10 (0..1) per level over the ``people`` whose last new item was held out.

    ``by_segment``: how many of them are in a segment, and their mean at the most personal level.
    """

    people: int
    ndcg: Mapping[Level, float]
    by_segment: Mapping[str, tuple[int, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Case:
    segment: str | None
    history: tuple[Interaction, ...]
    session: tuple[Interaction, ...]
    held_out: str


def evaluate(interactions: Interactions, items: Iterable[Item], segments: Mapping[Person, str]) -> Evaluation:
    """Train without each person's last new item and see how high every level ranks it for them.

    People with fewer than two distinct items are trained on but not asked about. With one held-out item,
    nDCG is 1 / log2(1 + rank), or 0 below rank 10 (Järvelin & Kekäläinen 2002).
    """
    train_rows, cases = _split(interactions, segments)
    model = train(interactions.rows(train_rows), items, segments)
    ndcg = {level: float(np.mean([_ndcg(model, level, case) for case in cases])) if cases else 0.0 for level in Level}
    return Evaluation(people=len(cases), ndcg=ndcg, by_segment=_by_segment(model, cases))


def _by_segment(model: Model, cases: Sequence[_Case]) -> dict[str, tuple[int, float]]:
    found: dict[str, list[float]] = {}
    for case in cases:
        found.setdefault(case.segment or "none", []).append(_ndcg(model, Level.INDIVIDUAL, case))
    return {name: (len(values), float(np.mean(values))) for name, values in sorted(found.items())}


def _split(interactions: Interactions, segments: Mapping[Person, str]) -> tuple[list[int], list[_Case]]:
    rows_of: dict[Person, list[int]] = {}
    for row in np.argsort(interactions.time, kind="stable"):
        rows_of.setdefault(interactions.person[row], []).append(int(row))
    train_rows, cases = [], []
    for person, rows in rows_of.items():
        held_out = _last_new_item(interactions, rows)
        kept = [row for row in rows if interactions.item[row] != held_out]
        train_rows += kept
        if held_out is not None:
            cases.append(_case(interactions, kept, segments.get(person), held_out))
    return sorted(train_rows), cases


def _last_new_item(interactions: Interactions, rows: list[int]) -> str | None:
    """Return the item the person came to last for the first time; None if there is only one item."""
    distinct = list(dict.fromkeys(interactions.item[row] for row in rows))
    return distinct[-1] if len(distinct) > 1 else None


def _case(interactions: Interactions, rows: list[int], segment: str | None, held_out: str) -> _Case:
    touches = tuple(
        Interaction(interactions.item[row], float(interactions.weight[row]), float(interactions.time[row]))
        for row in rows
    )
    return _Case(segment, touches[:-SESSION_LENGTH], touches[-SESSION_LENGTH:], held_out)


def _ndcg(model: Model, level: Level, case: _Case) -> float:
    served = model.recommend(level, history=case.history, session=case.session, segment=case.segment, count=RANKS)
    for rank, recommendation in enumerate(served.recommendations, start=1):
        if recommendation.item.id == case.held_out:
            return 1 / math.log2(1 + rank)
    return 0.0
