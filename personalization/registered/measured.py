"""Figures of a training as they are registered and signed: of its data, its evaluation, and what was compared."""

import hashlib
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from personalization.recommender.interactions import Interactions
from personalization.recommender.validation.evaluation import Evaluation, Figures, GroupFigure
from personalization.recommender.validation.ratings import RatingErrors
from personalization.recommender.validation.tuning import Chosen

_ROWS_AT_A_TIME = 100_000


def of_data(data: Interactions) -> dict[str, Any]:
    """Return how many people the data is of, its window of days, and its digest."""
    days = [datetime.fromtimestamp(float(moment), tz=UTC).date() for moment in (data.time.min(), data.time.max())]
    return {
        "people": len(data.people.distinct()),
        "window": [day.isoformat() for day in days],
        "data_sha256": digest(data),
    }


def of_evaluation(evaluation: Evaluation, *, least: int) -> dict[str, Any]:
    """Return every level's figures by protocol, and those of groups of ``least`` people: all in thousandths."""
    return {
        "ndcg_at_10_per_mille": {str(level): round(quality * 1000) for level, quality in evaluation.ndcg.items()},
        "measured_on": evaluation.people,
        "by_segment": _large_groups(evaluation, least),
        "protocols": {
            str(protocol): {str(level): _figures(figures) for level, figures in levels.items()}
            for protocol, levels in evaluation.levels.items()
        },
        "groups": {key: _group(group) for key, group in evaluation.groups.items()},
        "new_items": None if evaluation.new_items is None else _group(evaluation.new_items),
    }


def of_ratings(found: RatingErrors | None) -> dict[str, Any]:
    """Return the errors of predicted ratings in thousandths; None where too few people have one to predict."""
    if found is None:
        return {"ratings": None}
    rmse, mae = found.biases
    errors = {"rmse": found.rmse, "mae": found.mae, "rmse_of_biases": rmse, "mae_of_biases": mae}
    in_thousandths = {name: round(1000 * error) for name, error in errors.items()}
    return {"ratings": {"ratings": found.ratings, "people": found.people, **in_thousandths}}


def _group(group: GroupFigure) -> dict[str, Any]:
    return {
        "people": group.people,
        "ndcg": round(1000 * group.ndcg),
        "interval": [round(1000 * end) for end in group.interval],
    }


def of_choice(chosen: Chosen) -> dict[str, Any]:
    """Return what was compared to choose the recipe, in thousandths."""
    figures = {name: round(1000 * figure) for name, figure in chosen.ndcg.items()}
    return {"validation": {"asked": chosen.people, "ndcg_at_10_per_mille": figures}}


def digest(data: Interactions) -> str:
    """Return the SHA-256 over the interactions in their order: the digest of the training data on a card."""
    people = [bytes(person).hex() for person in data.people.values]
    found = hashlib.sha256()
    for start in range(0, len(data), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        columns = zip(
            data.people.codes[rows].tolist(),
            data.items[rows],
            data.weight[rows].tolist(),
            data.time[rows].tolist(),
            strict=True,
        )
        found.update("".join([f"{people[who]},{item},{weight},{at}\n" for who, item, weight, at in columns]).encode())
    return found.hexdigest()


def _figures(figures: Figures) -> dict[str, Any]:
    given = asdict(figures)
    interval = given.pop("interval")
    return {
        **{name: None if value is None else round(1000 * value) for name, value in given.items()},
        "interval": [round(1000 * end) for end in interval],
    }


def _large_groups(evaluation: Evaluation, least: int) -> dict[str, list[int]]:
    """Return how many people of a group were asked about, and the quality for them; small groups are taken together."""
    small = [figures for figures in evaluation.by_segment.values() if figures[0] < least]
    groups = {name: figures for name, figures in evaluation.by_segment.items() if figures[0] >= least}
    people = sum(count for count, _ in small)
    if people >= least or (people and not groups):
        groups["all others"] = (people, sum(count * quality for count, quality in small) / people)
    return {name: [count, round(quality * 1000)] for name, (count, quality) in groups.items()}
