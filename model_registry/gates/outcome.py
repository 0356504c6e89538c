"""Outcome of a version's gates: the checklist, and the one word with its end that stands in the bundle."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from model_registry.gates.checks import GATES, Stage
from model_registry.gates.findings import EXEMPT, FAILED, MET, PASSED, PENDING, Finding, end_of, first
from model_registry.gates.found import Found, gather
from model_registry.gates.models import GateDemand
from model_registry.models import ModelVersion


@dataclass(frozen=True)
class Line:
    """A demanded gate with what was found. ``suspends``: an audit that fails it suspends a version in use."""

    slug: str
    stage: Stage
    title: str
    asks: str
    finding: Finding
    suspends: bool = False

    @property
    def is_met(self) -> bool:
        return self.finding.state in MET


@dataclass(frozen=True)
class Outcome:
    """State of all gates together. ``until``: when it becomes ``failed`` by itself, None where it does not."""

    state: str
    until: datetime | None
    lines: Sequence[Line]

    @property
    def missing(self) -> list[Line]:
        return [line for line in self.lines if not line.is_met]

    def of_stage(self, stage: Stage) -> list[Line]:
        """Return the checklist of a stage."""
        return [line for line in self.lines if line.stage == stage]


def of(version: ModelVersion, now: datetime | None = None) -> Outcome:
    """Return the outcome of a version's gates as they are now, the grace of an upgrade included."""
    moment = now or timezone.now()
    found = gather(version, moment)
    approval, demanded = _approval(version, moment), [_line(found, demand) for demand in found.demands]
    lines = [*approval, *demanded]
    grace = version.gates_grace_until
    if grace is None or grace <= moment:
        return _together(lines, lines)
    gates = _together(demanded, lines)
    covered = Outcome(PASSED, grace, lines)
    if gates.state == PASSED:
        covered = Outcome(PASSED, None if gates.until is None else max(gates.until, grace), lines)
    # An approval that ends does so within the grace, too.
    approved = _together(approval, lines)
    return approved if approved.state != PASSED else Outcome(PASSED, first(covered.until, approved.until), lines)


def _together(judged: Sequence[Line], lines: Sequence[Line]) -> Outcome:
    """Return the outcome of some of the lines of a checklist."""
    states = {line.finding.state for line in judged}
    state = next((each for each in (FAILED, PENDING) if each in states), PASSED)
    until = first(*(line.finding.until for line in judged if line.is_met))
    return Outcome(state, until if state == PASSED else None, lines)


def _approval(version: ModelVersion, now: datetime) -> list[Line]:
    """Return the end of the approval, where it has one, as a gate of its own."""
    if version.approved_until is None:
        return []
    end = end_of(version.approved_until)
    why = f"Approved until {version.approved_until:%Y-%m-%d}."
    finding = Finding(PASSED if end > now else FAILED, why, "", version.status_changed_at, end)
    return [Line("approval", Stage.POST_DEPLOYMENT, "Approval", "an approval that has not ended", finding)]


def _line(found: Found, demand: GateDemand) -> Line:
    gate = GATES.get(demand.gate)
    if gate is None:
        finding = Finding(FAILED, f"This release has no gate “{demand.gate}”.")
        return Line(demand.gate, Stage.PRE_LAUNCH, demand.gate, "", finding)
    exemption = found.exemptions.get(demand.gate)
    if exemption is not None:
        finding = Finding(EXEMPT, f"Does not apply: {exemption.reason}")
    else:
        finding = gate.check(found, gate.threshold if demand.threshold is None else demand.threshold)
    return Line(demand.gate, gate.stage, gate.title, gate.asks, finding, demand.suspends)
