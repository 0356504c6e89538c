"""A model card held against the figures that its version's files bear out: each figure, digest and day on it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from typing import Any

from model_registry import prefill
from model_registry.documents.card import Alternative, Dataset, Disparity, Evaluation, Interval, Metric, ModelCard
from model_registry.models import ModelVersion
from personalization.registered import own_card
from personalization.verification.lines import Line, State, compared
from personalization.verification.of_figures import Borne

# Figures are registered in thousandths: a card states them as exactly, or is rounded up or down.
_HALF = 0.0005 + 1e-9
_NDCG = "ndcg@10"
_OTHERS = ("precision", "recall", "coverage", "diversity", "novelty", "popularity_lift", "serendipity", "lift")
_AT_TEN = {"precision": "precision@10", "recall": "recall@10"}
_PEOPLE = re.compile(r"(\d\S*(?: (?:thousand|million|billion))?) (?:people|persons|users|subjects|customers)\b")
_QUALITY = re.compile(r"ndcg@10 (-?\d+(?:\.\d+)?)(?: \((level=\w+)\))?", re.IGNORECASE)


@dataclass(frozen=True)
class Figure:
    """Figure with the intervals that can be stated of it, and how it is known."""

    value: float
    intervals: Sequence[tuple[float, float]]
    state: State


@dataclass(frozen=True)
class _Known:
    """What a card can be held against: figures by name and slice, digests of the data, and the rest by name."""

    version: ModelVersion
    borne: Borne
    figures: Mapping[tuple[str, str], Figure]
    digests: Mapping[str, State]
    rules: tuple[Mapping[str, Any], State]


def lines(
    card: ModelCard,
    version: ModelVersion,
    borne: Borne,
    *,
    digests: Mapping[str, State],
    rules: tuple[Mapping[str, Any], State],
) -> Iterator[Line]:
    """Yield a line for each figure, digest and day on a card.

    ``digests``: those of the version's data, as known. ``rules``: those that the evaluation was made by.
    """
    known = _Known(version, borne, _figures(borne), digests, rules)
    yield from _version(card, version)
    yield from _training(card, known)
    for number, evaluation in enumerate(card.evaluations):
        yield from _evaluation(f"card: evaluations[{number}]", evaluation, known)
    for number, disparity in enumerate(card.disparities):
        yield _disparity(f"card: disparities[{number}] {disparity.metric} {disparity.group}", disparity, known)
    for number, alternative in enumerate(card.alternatives):
        yield from _alternative(f"card: alternatives[{number}] {alternative.approach}", alternative, known)
    if card.considerations.environmental:
        yield Line("card: considerations.environmental", State.MISSING, "No file of the version bears it out.")


def _version(card: ModelCard, version: ModelVersion) -> Iterator[Line]:
    if card.version:
        yield compared("card: version", card.version, str(version.version))
    if card.date:
        yield compared("card: date", _day(card.date), version.created_at.date().isoformat())
    serves = sorted(purpose.slug for purpose in version.purposes.all())
    if card.governance.intended_purposes:
        yield compared("card: governance.intended_purposes", sorted(card.governance.intended_purposes), serves)
    if both := sorted({*serves} & {*card.governance.forbidden_purposes}):
        yield Line("card: governance.forbidden_purposes", State.DIFFERS, f"It serves {', '.join(both)[:60]}.")


def _day(text: str) -> str:
    """Return the day of a date or a moment; another text as it is."""
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return text


def _training(card: ModelCard, known: _Known) -> Iterator[Line]:
    training = card.training
    for number, dataset in enumerate(training.data):
        yield from _dataset(f"card: training.data[{number}]", dataset, known)
    window = known.borne.get("window")
    for name, place in (("from_day", 0), ("to_day", 1)):
        if stated := getattr(training, name):
            yield _of(f"card: training.{name}", stated, None if window is None else (window[0][place], window[1]))
    if training.privacy_level:
        level = known.version.max_level
        yield compared("card: training.privacy_level", training.privacy_level, level)
    if training.epsilon is not None:
        why = f"An epsilon of {training.epsilon} is stated; the training adds no noise."
        yield Line("card: training.epsilon", State.DIFFERS, why)


def _dataset(what: str, dataset: Dataset, known: _Known) -> Iterator[Line]:
    if dataset.digest in known.digests:
        yield Line(f"{what}.digest", known.digests[dataset.digest])
        yield compared(f"{what}.name", dataset.name, prefill.data_name(known.version), known.digests[dataset.digest])
    elif dataset.digest and dataset.name == prefill.data_name(known.version):
        yield Line(f"{what}.digest", State.DIFFERS, "It is of other bytes than the data that was registered.")
    elif dataset.name or dataset.digest:
        yield Line(f"{what}.digest", State.MISSING, f"There is no data set “{dataset.name[:60]}” of this version here.")
    for stated in _PEOPLE.findall(dataset.description):
        yield _of(f"{what}.description", _count(stated), known.borne.get("people"))
    if dataset.args is not None:
        yield compared(f"{what}.args", dataset.args, known.rules[0], known.rules[1])
    if dataset.split is not None:
        yield compared(f"{what}.split", dataset.split, own_card.SPLIT, known.rules[1])
    for name in ("config", "revision"):
        if getattr(dataset, name) is not None:
            yield Line(f"{what}.{name}", State.MISSING, "The data of this version has none.")


def _evaluation(what: str, evaluation: Evaluation, known: _Known) -> Iterator[Line]:
    yield from _dataset(f"{what}.dataset", evaluation.dataset, known)
    for metric in evaluation.metrics:
        yield from _metric(f"{what} {metric.type or metric.name} {metric.slice}".rstrip(), metric, known)


def _metric(what: str, metric: Metric, known: _Known) -> Iterator[Line]:
    figure = known.figures.get((metric.type.lower(), metric.slice))
    if figure is None:
        yield Line(what, State.MISSING, "No file of the version bears this figure out.")
        return
    yield _near(what, _number(metric.value), figure.value, figure.state)
    if metric.name and metric.name.casefold() != metric.type.casefold():
        yield Line(f"{what} name", State.DIFFERS, f"It is called “{metric.name[:60]}”, and is {metric.type}.")
    if metric.verified:
        yield Line(f"{what} verified", State.MISSING, "A mark of the hub is nothing that a file bears out.")
    if metric.config is not None or metric.args is not None:
        yield Line(f"{what} settings", State.MISSING, "No file of the version bears settings of a figure out.")
    if metric.interval is not None:
        yield _interval(f"{what} interval", metric.interval, figure)


def _interval(what: str, stated: Interval, figure: Figure) -> Line:
    ends = (_number(stated.lower), _number(stated.upper))
    for lower, upper in figure.intervals:
        if _is_near(ends[0], lower) and _is_near(ends[1], upper):
            return Line(what, figure.state)
    found = " or ".join(f"{lower:.3f} to {upper:.3f}" for lower, upper in figure.intervals) or "none"
    return Line(what, State.DIFFERS, f"{ends[0]} to {ends[1]} is stated, {found} was found.")


def _disparity(what: str, disparity: Disparity, known: _Known) -> Line:
    groups = known.borne.get("by_segment")
    expected = prefill.disparities({"by_segment": groups[0]}) if groups is not None else []
    found = {each.group: each.value for each in expected}
    if groups is None or disparity.metric != _NDCG or disparity.group not in found:
        return Line(what, State.MISSING, "No file of the version bears this figure out.")
    if disparity.interval is not None:
        return Line(what, State.MISSING, "No file of the version bears an interval of it out.")
    return _near(what, disparity.value, found[disparity.group], groups[1])


def _alternative(what: str, alternative: Alternative, known: _Known) -> Iterator[Line]:
    for name in ("latency", "risk", "effort", "data"):
        text = getattr(alternative, name)
        if any(letter.isdigit() for letter in text) and text != own_card.LATENCY:
            yield Line(f"{what} {name}", State.MISSING, "No file of the version bears this figure out.")
    stated = _QUALITY.fullmatch(alternative.quality.strip())
    if stated is None:
        if any(letter.isdigit() for letter in alternative.quality):
            why = "Only “ndcg@10 0.123”, with its level where it has one, can be held against the files."
            yield Line(what, State.MISSING, why)
        return
    figure = known.figures.get((_NDCG, stated.group(2))) if stated.group(2) else _tried(alternative.approach, known)
    if figure is None:
        yield Line(what, State.MISSING, "No comparison of the training bears this figure out.")
    else:
        yield _near(what, float(stated.group(1)), figure.value, figure.state)
        if alternative.chosen:
            yield _chosen(f"{what} chosen", figure, known)


def _chosen(what: str, figure: Figure, known: _Known) -> Line:
    """Return whether a figure is of what was chosen: of this version, or of the approach that validation chose."""
    served, tried = known.figures.get((_NDCG, "level=individual")), _tried("chosen", known)
    if any(each is not None and _is_near(figure.value, each.value) for each in (served, tried)):
        return Line(what, figure.state)
    return Line(what, State.DIFFERS, "Another approach was chosen.")


def _tried(approach: str, known: _Known) -> Figure | None:
    """Return the figure of an approach that the training compared on validation data."""
    validation = known.borne.get("validation")
    if validation is None or approach not in validation[0]["ndcg_at_10_per_mille"]:
        return None
    return Figure(validation[0]["ndcg_at_10_per_mille"][approach] / 1000, [], validation[1])


def _figures(borne: Borne) -> dict[tuple[str, str], Figure]:
    """Return the figures that a card can state, by name and slice."""
    return {**_of_levels(borne), **_of_groups(borne), **_of_new_items(borne), **_of_ratings(borne)}


def _of_levels(borne: Borne) -> dict[tuple[str, str], Figure]:
    protocols, people = borne.get("protocols"), borne.get("measured_on")
    found: dict[tuple[str, str], Figure] = {}
    for protocol, levels in (protocols[0] if protocols else {}).items():
        for level, given in levels.items():
            state = protocols[1] if protocols else State.MISSING
            # Lists as they are served (protocol W) need not be named.
            for group in [f"level={level}, protocol={protocol}", *([f"level={level}"] if protocol == "W" else [])]:
                low, high = given["interval"]
                intervals = [(low / 1000, high / 1000), *_hoeffding(given["ndcg"], people[0] if people else 0)]
                found[_NDCG, group] = Figure(given["ndcg"] / 1000, intervals, state)
                for name in _OTHERS:
                    if given.get(name) is not None:  # a version of an older release lacks some
                        found[_AT_TEN.get(name, name), group] = Figure(given[name] / 1000, [], state)
    return found


def _of_groups(borne: Borne) -> dict[tuple[str, str], Figure]:
    groups, intervals = borne.get("by_segment"), borne.get("groups")
    found = {}
    for group, (people, per_mille) in (groups[0] if groups else {}).items():
        drawn = (intervals[0] if intervals else {}).get(group)
        ends = [(drawn["interval"][0] / 1000, drawn["interval"][1] / 1000)] if drawn else []
        state = groups[1] if groups else State.MISSING
        found[_NDCG, group] = Figure(per_mille / 1000, [*ends, *_hoeffding(per_mille, people)], state)
    return found


def _of_new_items(borne: Borne) -> dict[tuple[str, str], Figure]:
    known = borne.get("new_items")
    if known is None or known[0] is None:
        return {}
    given, state = known
    low, high = given["interval"]
    return {(_NDCG, own_card.NEW_ITEMS): Figure(given["ndcg"] / 1000, [(low / 1000, high / 1000)], state)}


def _of_ratings(borne: Borne) -> dict[tuple[str, str], Figure]:
    given = borne.get("ratings")
    if given is None:
        return {}
    return {name: Figure(error, [], given[1]) for name, error in own_card.rating_errors({"ratings": given[0]})}


def _hoeffding(per_mille: int, people: int) -> list[tuple[float, float]]:
    """Return the interval that a card is begun with, which holds for any distribution."""
    stated = prefill.interval(per_mille / 1000, people)
    return [(_number(stated.lower), _number(stated.upper))] if stated else []


def _of(what: str, stated: Any, known: tuple[Any, State] | None) -> Line:
    if known is None:
        return Line(what, State.MISSING, "There is nothing left to recompute it from.")
    return compared(what, stated, known[0], known[1])


def _near(what: str, stated: float, found: float, state: State) -> Line:
    if _is_near(stated, found):
        return Line(what, state)
    return Line(what, State.DIFFERS, f"{stated:g} is stated, {found:.3f} was found.")


def _is_near(stated: float, found: float) -> bool:
    return abs(stated - found) <= _HALF


def _count(text: str) -> float | str:
    """Return a count as a number; one in other words, such as ``7k``, as it is."""
    number = _number(text)
    return text if isnan(number) else number


def _number(value: Any) -> float:
    """Return a figure as a number; what is none is near to nothing."""
    try:
        return float(str(value).replace(",", ""))
    except ValueError:
        return float("nan")
