"""Singling out: weights with a single person behind them, small segments, and segments told apart by two versions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.recommender.audits.people import Population
from personalization.recommender.groups import forming as groups
from personalization.recommender.model import Model, Popularity
from personalization.recommender.parts import Part

LEAST_BEHIND_A_WEIGHT = 2
"""A weight between two items that one person touched both of is that person's history."""
_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Differenced:
    """Segment of which two versions differ by one person, and how many items that person's history shows."""

    segment: str
    items: int


@dataclass(frozen=True, slots=True)
class SinglingOut:
    """``lone_weights`` of ``weights``: those that fewer than two people stand behind. ``below`` of ``segments``: those
    of fewer than k people; ``unique``: share of the register's people who are alone with their region and age band.
    """

    weights: int
    lone_weights: int
    segments: int
    smallest: int
    below: int
    unique: float
    differenced: tuple[Differenced, ...]


def audit(
    model: Model, people: Population, *, least: int, before: Model | None, register: Mapping[str, int]
) -> SinglingOut:
    """Audit a model. ``before``: the version that people saw until now; ``register``: people by segment key."""
    sizes = [segment.people for segment in model.segments.values()]
    total, lone = lone_weights(model, people)
    everybody = sum(register.values())
    return SinglingOut(
        weights=total,
        lone_weights=lone,
        segments=len(sizes),
        smallest=min(sizes, default=0),
        below=sum(size < least for size in sizes),
        unique=sum(count == 1 for count in register.values()) / everybody if everybody else 0.0,
        differenced=differenced(before, model) if before else (),
    )


def lone_weights(model: Model, people: Population) -> tuple[int, int]:
    """Return how many weights between items a model keeps, and how many of them have less than two people behind.

    Weights of new items, where a recipe takes them over from known ones, are means of weights that are counted.
    """
    touched = people.data.touched
    is_new = np.asarray(touched.sum(axis=0)).ravel() < model.parameters.min_people
    counted = ~is_new if model.parameters.recipe.content else np.ones(len(model.items), dtype=np.bool_)
    total = lone = 0
    for start in range(0, len(model.items), _ROWS):
        rows = min(_ROWS, len(model.items) - start)
        both = (touched[:, start : start + rows].T @ touched).toarray()
        for part in model.parts:
            kept, few = _kept(part, start, both, counted)
            total, lone = total + kept, lone + few
    return total, lone


def _kept(part: Part, start: int, both: NDArray[np.int32], counted: NDArray[np.bool_]) -> tuple[int, int]:
    rows = slice(start, start + len(both))
    kept = (part.weights[rows] != 0) & counted[part.neighbours[rows]] & counted[rows, np.newaxis]
    support = np.take_along_axis(both, part.neighbours[rows], axis=1)
    return int(kept.sum()), int((kept & (support < LEAST_BEHIND_A_WEIGHT)).sum())


def differenced(before: Model, after: Model) -> tuple[Differenced, ...]:
    """Return the segments whose counts in two versions differ by exactly what one person did.

    The counts are read back from what is published: score = (n + damping * share of all) / (people + damping).
    """
    if [item.id for item in before.items] != [item.id for item in after.items]:
        return ()  # the catalogue has changed: what is left of a count is not one person's
    found = []
    # Lists of groups by their people's own data are means of scores: no count can be read back from them.
    both = before.segments.keys() & after.segments.keys()
    for key in sorted(key for key in both if groups.kind_of(key) is None):
        moved = _counts(after, after.segments[key]) - _counts(before, before.segments[key])
        joined = after.segments[key].people - before.segments[key].people
        if abs(joined) == 1 and moved.any() and (moved * joined >= 0).all() and np.abs(moved).max() == 1:
            found.append(Differenced(key, int(np.abs(moved).sum())))
    return tuple(found)


def _counts(model: Model, segment: Popularity) -> NDArray[np.int64]:
    damping = model.parameters.damping
    counts = segment.scores * (segment.people + damping) - damping * model.popularity.scores
    whole: NDArray[np.int64] = np.rint(counts).astype(np.int64)
    return whole
