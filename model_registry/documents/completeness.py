"""Completeness of a card: what a reader has to find, and what is missing of it (scored by ``kinds``).

A text of blanks and a placeholder such as ``TBD`` are what is missing, too.
"""

from collections.abc import Callable, Mapping
from typing import Any

from model_registry.documents.card import Interval, License, Metric, ModelCard

Check = Callable[[ModelCard], object]
# What templates and generators write where nobody has said anything.
_PLACEHOLDERS = frozenset(
    ("", "-", "?", "…", "todo", "tbd", "n/a", "unknown", "noassertion", "more information needed")
)


def says(text: str) -> bool:
    """Return whether a text says anything."""
    return text.strip().strip("[]().").casefold() not in _PLACEHOLDERS


def _said(value: Any) -> Any:
    """Return a document without the texts that say nothing."""
    if isinstance(value, dict):
        return {name: _said(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_said(each) for each in value if not isinstance(each, str) or says(each)]
    return "" if isinstance(value, str) and not says(value) else value


def _figures(card: ModelCard) -> list[Metric]:
    return [one for each in card.evaluations for one in each.metrics if one.value not in (None, "")]


def _is_named(licence: License) -> bool:
    """Return whether a licence says which one it is; the hub's ``other`` alone does not, and generators write it."""
    return bool(licence.text or licence.name or licence.link or licence.id not in ("", "other"))


def _is_whole(interval: Interval | None) -> bool:
    return interval is not None and None not in (interval.lower, interval.upper)


# What a reader has to find, in the order of a card's sections; each counts the same.
CHECKS: Mapping[str, Check] = {
    "name": lambda card: card.name,
    "overview": lambda card: card.overview,
    "version": lambda card: card.version,
    "date": lambda card: card.date,
    "owners": lambda card: all(each.name and each.contact for each in card.owners) and card.owners,
    "licence": lambda card: card.licenses and all(_is_named(each) for each in card.licenses),
    "architecture": lambda card: card.architecture.name or card.architecture.family,
    "task": lambda card: card.architecture.task,
    "inputs and outputs": lambda card: card.architecture.inputs and card.architecture.outputs,
    "training data": lambda card: card.training.data and all(each.name for each in card.training.data),
    "digest of the training data": lambda card: all(each.digest for each in card.training.data) and card.training.data,
    "training window": lambda card: card.training.from_day and card.training.to_day,
    "privacy of the training": lambda card: card.training.privacy_level,
    "evaluation": _figures,
    "evaluation data": lambda card: card.evaluations and all(each.dataset.name for each in card.evaluations),
    "figures with intervals": lambda card: any(_is_whole(each.interval) for each in _figures(card)),
    "figures by slice": lambda card: any(each.slice for each in _figures(card)),
    "disparities": lambda card: card.disparities,
    "users": lambda card: card.considerations.users,
    "intended uses": lambda card: card.considerations.use_cases,
    "forbidden uses": lambda card: card.considerations.forbidden_uses,
    "limitations": lambda card: card.considerations.limitations,
    "trade-offs": lambda card: card.considerations.tradeoffs,
    "risks with mitigations": lambda card: (
        card.considerations.ethical and all(each.name and each.mitigation for each in card.considerations.ethical)
    ),
    "alternatives": lambda card: any(each.chosen and each.approach for each in card.alternatives),
    "role and risk class": lambda card: card.governance.role and card.governance.risk,
    "purposes": lambda card: card.governance.intended_purposes,
}


def missing(card: ModelCard) -> list[str]:
    """Return what a card lacks, in the order of its sections."""
    said = ModelCard.model_validate(_said(card.model_dump(exclude={"kept", "body"})))
    return [name for name, check in CHECKS.items() if not check(said)]
