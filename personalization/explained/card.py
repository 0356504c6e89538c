"""Public card of the version in use: what its card says that a reader needs, and what the register knows of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.register import words
from model_registry.documents import keeping
from model_registry.documents.card import Metric, ModelCard
from model_registry.gates import outcome
from model_registry.gates.findings import EXEMPT
from model_registry.models import ModelVersion

_AGES = {
    "adult": gettext_lazy("Of age"),
    "minor": gettext_lazy("Under age, a teenager"),
    "child": gettext_lazy("A child"),
}

# What a gate that passed means to a reader.
CHECKS = {
    "approval": gettext_lazy("Two people approved it"),
    "card": gettext_lazy("Its card is complete"),
    "datasheet": gettext_lazy("Its training data are described"),
    "dpia": gettext_lazy("Its effects on privacy were assessed"),
    "fria": gettext_lazy("Its effects on fundamental rights were assessed"),
    "runbook": gettext_lazy("What to do when it fails is written down"),
    "reviews": gettext_lazy("People of several professions reviewed it"),
    "segments": gettext_lazy("No group that it knows is too small"),
    "quality": gettext_lazy("It recommends no worse than the version before"),
    "fallback": gettext_lazy("There is another list for when it fails"),
    "freshness": gettext_lazy("Its training data are recent"),
    "files": gettext_lazy("Its files are those that were checked"),
    "opted_out": gettext_lazy("People who opted out are served no worse"),
    "epsilon": gettext_lazy("It keeps to its privacy budget"),
    "bias_audit": gettext_lazy("It serves groups of people alike"),
    "leak_audit": gettext_lazy("It gives away little about single people"),
    "adversarial_audit": gettext_lazy("It withstands manipulation"),
    "regression_audit": gettext_lazy("It answers recorded cases as expected"),
    "ageing_audit": gettext_lazy("It stays good as it ages"),
    "monitoring": gettext_lazy("It is being watched"),
    "inputs": gettext_lazy("What it works with arrives"),
    "drift": gettext_lazy("People behave as in its training"),
    "service": gettext_lazy("It answers in time"),
    "incident_contact": gettext_lazy("There is a contact for incidents"),
    "audits_renewed": gettext_lazy("Its audits are recent"),
    "retraining": gettext_lazy("It is trained again in time"),
}


@dataclass(frozen=True)
class Fact:
    """A heading with its values; ``is_quoted``: in the language that the card is written in."""

    heading: str
    values: list[str]
    is_quoted: bool = True


@dataclass(frozen=True)
class Figure:
    """Quality for a level or a group, as per cent, with the interval that holds it."""

    whom: str
    per_cent: str
    interval: str


@dataclass(frozen=True)
class PublicCard:
    """What people may read of a version; ``language``: of what is quoted."""

    name: str
    version: int
    language: str
    overview: str
    facts: list[Fact]
    figures: list[Figure]


def read(version: ModelVersion, *, k: int) -> PublicCard | None:
    """Return the public card of a version; None where it has no model card."""
    row = keeping.current(version, "card")
    if row is None:
        return None
    document: ModelCard = keeping.document_of(row)
    facts = [*_of_card(document), *_of_register(version, k)]
    return PublicCard(
        name=version.model.name,
        version=version.version,
        language=document.languages[0] if document.languages else "en",
        overview=document.overview,
        facts=[fact for fact in facts if any(fact.values)],
        figures=list(_figures(document)),
    )


def _of_card(card: ModelCard) -> Iterator[Fact]:
    said, training = card.considerations, card.training
    yield Fact(_("What it is for"), said.use_cases)
    yield Fact(_("What it must not be used for"), said.forbidden_uses)
    yield Fact(_("What it cannot do"), said.limitations)
    yield Fact(_("Risks, and what is done about them"), [f"{risk.name}: {risk.mitigation}" for risk in said.ethical])
    yield Fact(_("What was weighed against each other"), said.tradeoffs)
    yield Fact(
        _("Other approaches that were compared"), [each.approach for each in card.alternatives if not each.chosen]
    )
    window = [_("%(start)s to %(end)s") % {"start": training.from_day, "end": training.to_day}]
    yield Fact(_("Learnt from what people did in"), window if training.from_day else [], is_quoted=False)
    noise = _("Epsilon %(epsilon)s") % {"epsilon": training.epsilon} if training.epsilon else ""
    yield Fact(_("Differential privacy"), [noise or _("Not used")], is_quoted=False)


def _of_register(version: ModelVersion, k: int) -> Iterator[Fact]:
    people = version.metrics.get("people", 0)
    many = [number_format(people, force_grouping=True)] if people >= k else []
    yield Fact(_("People it learnt from, who allowed it"), many, is_quoted=False)
    yield Fact(_("Uses no more of you than"), [str(words.LEVELS[version.max_level])], is_quoted=False)
    found = outcome.of(version)
    passed = [line for line in found.lines if line.is_met and line.finding.state != EXEMPT]
    said = [str(CHECKS.get(line.slug, line.title)) for line in passed]
    yield Fact(_("Checks it passed"), said, is_quoted=False)
    exempt = [f"{line.title}: {line.finding.why}" for line in found.lines if line.finding.state == EXEMPT]
    yield Fact(_("Checks that do not apply to it"), exempt)


def _figures(card: ModelCard) -> Iterator[Figure]:
    # Of all figures the one that people can read without a course: how good the lists are, for a level or a group.
    for metric in (metric for evaluation in card.evaluations for metric in evaluation.metrics):
        if "protocol=" in metric.slice:
            continue
        if isinstance(metric.value, int | float) and not isinstance(metric.value, bool):
            yield Figure(_whom(metric.slice), _per_cent(metric.value), _interval(metric))


def _whom(group: str) -> str:
    level = words.LEVELS.get(group.removeprefix("level="))
    if level:
        return _("Way “%(way)s”") % {"way": level}
    parts = (part.partition("=") for part in group.split("|"))
    named = [str(_AGES.get(value, value) if name == "age" else value or name) for name, _sign, value in parts]
    return ", ".join(filter(None, named)) or _("Everybody")


def _interval(metric: Metric) -> str:
    ends: list[Any] = [metric.interval.lower, metric.interval.upper] if metric.interval else []
    if len(ends) != 2 or not all(isinstance(end, int | float) for end in ends):
        return ""
    return _("%(lower)s to %(upper)s") % {
        "lower": number_format(100 * ends[0], decimal_pos=1),
        "upper": _per_cent(ends[1]),
    }


def _per_cent(share: float) -> str:
    return f"{number_format(100 * share, decimal_pos=1)}\N{NO-BREAK SPACE}%"
