"""Completeness of a card: what a reader has to find, and what is missing of it (scored by ``kinds``)."""

from collections.abc import Callable, Iterable, Mapping

from model_registry.documents.card import ModelCard

Check = Callable[[ModelCard], object]


def _results(card: ModelCard) -> Iterable[object]:
    return [metric for each in card.evaluations for metric in each.metrics]


# What a reader has to find, in the order of a card's sections; each counts the same.
CHECKS: Mapping[str, Check] = {
    "name": lambda card: card.name,
    "overview": lambda card: card.overview,
    "version": lambda card: card.version,
    "date": lambda card: card.date,
    "owners": lambda card: all(each.name and each.contact for each in card.owners) and card.owners,
    "licence": lambda card: card.licenses,
    "architecture": lambda card: card.architecture.name or card.architecture.family,
    "task": lambda card: card.architecture.task,
    "inputs and outputs": lambda card: card.architecture.inputs and card.architecture.outputs,
    "training data": lambda card: card.training.data and all(each.name for each in card.training.data),
    "digest of the training data": lambda card: all(each.digest for each in card.training.data) and card.training.data,
    "training window": lambda card: card.training.from_day and card.training.to_day,
    "privacy of the training": lambda card: card.training.privacy_level,
    "evaluation": _results,
    "evaluation data": lambda card: card.evaluations and all(each.dataset.name for each in card.evaluations),
    "figures with intervals": lambda card: any(metric.interval for each in card.evaluations for metric in each.metrics),
    "figures by slice": lambda card: any(metric.slice for each in card.evaluations for metric in each.metrics),
    "disparities": lambda card: card.disparities,
    "users": lambda card: card.considerations.users,
    "intended uses": lambda card: card.considerations.use_cases,
    "forbidden uses": lambda card: card.considerations.forbidden_uses,
    "limitations": lambda card: card.considerations.limitations,
    "trade-offs": lambda card: card.considerations.tradeoffs,
    "risks with mitigations": lambda card: (
        card.considerations.ethical and all(each.name and each.mitigation for each in card.considerations.ethical)
    ),
    "alternatives": lambda card: any(each.chosen for each in card.alternatives),
    "role and risk class": lambda card: card.governance.role and card.governance.risk,
    "purposes": lambda card: card.governance.intended_purposes,
}


def missing(card: ModelCard) -> list[str]:
    """Return what a card lacks, in the order of its sections."""
    return [name for name, check in CHECKS.items() if not check(card)]
