"""Suite of audits of a model: which there are, and the result of each as figures for a gate and a report to read.

Shares, ratios and qualities are whole thousandths, as the figures of a training are; an estimate is a list of the value
and both ends of its interval.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from common.levels import Level
from personalization.recommender.audits import adversarial, ageing, fairness, membership, reference, singling_out
from personalization.recommender.audits.fairness import Slice
from personalization.recommender.audits.intervals import Estimate
from personalization.recommender.audits.people import Population
from personalization.recommender.audits.reference import Reference
from personalization.recommender.audits.regression import Case, replay
from personalization.recommender.interactions import Interactions, Person
from personalization.recommender.model import Model

LEAST_PEOPLE = 100
"""With fewer people asked nothing is measured: intervals would be too wide to say anything."""


@dataclass(frozen=True, eq=False)
class Audited:
    """A model with the people it is asked about.

    ``control``: people it was not trained on. ``register``: how many people each segment key has in the register.
    ``before``: the version that people saw until now. ``least``: k, the size that no group falls below.
    """

    model: Model
    members: Interactions
    control: Interactions
    attributes: Mapping[str, Mapping[Person, str]]
    segments: Mapping[Person, str]
    register: Mapping[str, int]
    before: Model | None
    cases: Sequence[Case]
    level: Level
    least: int

    @cached_property
    def people(self) -> Population:
        return Population.of(self.members, self.model, self.attributes, self.segments)

    @cached_property
    def strangers(self) -> Population:
        return Population.of(self.control, self.model, self.attributes, self.segments)

    @cached_property
    def references(self) -> Sequence[Reference]:
        return reference.of(self.model, self.people)


@dataclass(frozen=True)
class Result:
    """Result of one audit. ``is_passed`` is about what no threshold excuses; the gate compares ``figures``."""

    is_measured: bool
    is_passed: bool
    figures: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Audit:
    """An audit: its title, its gate, and how it is run."""

    title: str
    gate: str
    run: Callable[[Audited], Result]


def _bias(audited: Audited) -> Result:
    people = audited.people
    if len(people.able()) < LEAST_PEOPLE:
        return _unmeasured(f"fewer than {LEAST_PEOPLE} people have enough events")
    found = fairness.audit(audited.model, people, least=audited.least, level=audited.level)
    worst = found.worst
    if worst is None:
        return _unmeasured("there are no two groups of enough people to compare")
    figures = {
        "people": found.people,
        "slices": len(found.slices),
        "impact": _figure(found.impact.value) if found.impact else None,
        "worst": _named(worst.group),
        "worst_at_most": _figure(worst.at_most),
    }
    report = {
        "level": str(audited.level),
        "quality": _estimate(found.quality),
        "reached": _estimate(found.reached),
        "too_small": found.too_small,
        "slices": [_slice(one) for one in sorted(found.slices, key=lambda one: one.at_most)],
    }
    return Result(True, True, figures, report)


def _slice(one: Slice) -> dict[str, Any]:
    return {
        "group": _named(one.group),
        "people": one.people,
        "quality": _estimate(one.quality),
        "reached": _estimate(one.reached),
        "personal": _figure(one.personal),
        "own_taste": None if one.own_taste is None else _figure(one.own_taste),
        "quality_ratio": _estimate(one.quality_ratio),
        "impact_ratio": _estimate(one.impact_ratio),
    }


def _leak(audited: Audited) -> Result:
    people, references = audited.people, audited.references
    if not references or len(people.able()) < LEAST_PEOPLE:
        return _unmeasured(f"fewer than {LEAST_PEOPLE} people have enough events")
    on_references = membership.of_references(references, people)
    on_model = _attacked(audited)
    probing = adversarial.probe(references, people)
    single = singling_out.audit(
        audited.model, people, least=audited.least, before=audited.before, register=audited.register
    )
    judged = on_model or on_references
    figures = {
        "attacked": "model" if on_model else "reference",
        "members": judged.members,
        "strangers": judged.strangers,
        "advantage": _figure(judged.advantage.value),
        "advantage_at_most": _figure(judged.advantage.high),
        "probing_at_most": _figure(probing.gain.high),
        "lone_weights": single.lone_weights,
        "segments_below": single.below,
        "singled_out": len(single.differenced),
    }
    report = {
        "attacks": {
            name: _attack(one) for name, one in (("model", on_model), ("reference", on_references)) if one is not None
        },
        "probing": {
            "victims": probing.victims,
            "members": _figure(probing.members),
            "strangers": _figure(probing.strangers),
            "gain": _estimate(probing.gain),
        },
        "singling_out": {
            "weights": single.weights,
            "lone_weights": single.lone_weights,
            "segments": single.segments,
            "smallest": single.smallest,
            "below": single.below,
            "unique": _figure(single.unique),
            "differenced": [one.segment for one in single.differenced],
        },
    }
    is_passed = not (single.lone_weights or single.below or single.differenced)
    return Result(True, is_passed, figures, report)


def _attacked(audited: Audited) -> membership.Attack | None:
    """Attack the model itself, where there are enough people it was not trained on."""
    strangers = audited.strangers.able()
    if len(strangers) < membership.LEAST:
        return None
    return membership.of(audited.model, audited.people, audited.people.able(), audited.strangers, strangers)


def _attack(one: membership.Attack) -> dict[str, Any]:
    return {
        "members": one.members,
        "strangers": one.strangers,
        "auc": _estimate(one.auc),
        "advantage": _estimate(one.advantage),
        "caught": _figure(one.caught),
        "edges": [_figure(edge) for edge in one.edges],
        "inside": [_figure(share) for share in one.inside],
        "outside": [_figure(share) for share in one.outside],
    }


def _adversarial(audited: Audited) -> Result:
    people = audited.people
    if len(people.able()) < LEAST_PEOPLE:
        return _unmeasured(f"fewer than {LEAST_PEOPLE} people have enough events")
    promoted = adversarial.poison(audited.model, people)
    hostile = adversarial.hostile(audited.model, people)
    gained = max((one.after - one.before for one in promoted), default=0.0)
    report = {
        "fake_share": _figure(adversarial.FAKE_SHARE),
        "promoted": [
            {
                "profiles": one.profiles,
                "before": _figure(one.before),
                "after": _figure(one.after),
                "rank_before": one.rank_before,
                "rank_after": one.rank_after,
            }
            for one in promoted
        ],
        "hostile": {
            "asked": hostile.asked,
            "unsound": hostile.unsound,
            "largest_weight": f"{hostile.largest_weight:.3g}",
        },
    }
    return Result(True, not hostile.unsound, {"gained": _figure(gained), "unsound": hostile.unsound}, report)


def _regression(audited: Audited) -> Result:
    if not audited.cases:
        return _unmeasured("no case is recorded")
    outcomes = replay(audited.model, audited.cases)
    differ = [one for one in outcomes if not one.holds]
    report = {"cases": [{"name": one.name, "differences": list(one.differences)} for one in outcomes]}
    return Result(True, True, {"cases": len(outcomes), "differ": len(differ)}, report)


def _ageing(audited: Audited) -> Result:
    months = ageing.audit(audited.members, audited.model.items, audited.model, least=audited.least)
    if len(months) < 2:
        return _unmeasured("the events do not reach over two months after a training")
    lost = max(months[0].quality.value - month.quality.value for month in months)
    figures = {"months": len(months), "lost": _figure(lost)}
    report = {
        "months": [{"age": one.age, "people": one.people, "quality": _estimate(one.quality)} for one in months],
    }
    return Result(True, True, figures, report)


def _unmeasured(why: str) -> Result:
    return Result(False, False, {"why": why})


def _named(group: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in group.items())


def _figure(value: float) -> int | None:
    return round(1000 * value) if math.isfinite(value) else None


def _estimate(one: Estimate) -> list[int | None]:
    return [_figure(one.value), _figure(one.low), _figure(one.high)]


AUDITS: Mapping[str, Audit] = {
    "bias": Audit("Fairness", "bias_audit", _bias),
    "leak": Audit("Privacy leaks", "leak_audit", _leak),
    "adversarial": Audit("Adversarial inputs", "adversarial_audit", _adversarial),
    "regression": Audit("Recorded cases", "regression_audit", _regression),
    "ageing": Audit("Quality by age", "ageing_audit", _ageing),
}
