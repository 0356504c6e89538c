"""The gates: each reads its evidence and says whether it is there. No evidence is a failure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from model_registry.documents.kinds import KINDS
from model_registry.documents.models import Document
from model_registry.gates import audits
from model_registry.gates.found import Found
from model_registry.gates.models import DocumentReview, Evidence
from privacy.models import PrivacyBudget

_CHANGED = "the purposes, data, recipients, regions, level or address of the engine have changed since it was made."
CLOCKS_DIFFER = timedelta(days=1)
"""Data may seem so much newer than now: clocks differ, and days begin at another hour elsewhere."""
PASSED, FAILED, PENDING, EXEMPT = "passed", "failed", "pending", "not_applicable"


@dataclass(frozen=True)
class Finding:
    """What a gate found: its state and why, who made the evidence and when, until when a passed gate holds."""

    state: str
    why: str
    owner: str = ""
    at: datetime | None = None
    until: datetime | None = None


Check = Callable[[Found, Decimal], Finding]
Judge = Callable[[Found, Evidence, Decimal], Finding]
AuditJudge = Callable[[Evidence, Decimal], tuple[bool, str]]


@dataclass(frozen=True)
class Gate:
    """A gate: its title, what it asks for, its check, its threshold where a demand names none, and the unit."""

    title: str
    asks: str
    check: Check
    threshold: Decimal = Decimal(0)
    unit: str = ""


def _document(kind: str) -> Check:
    """Return a check that a document is there and complete enough."""
    title = KINDS[kind].title

    def check(found: Found, least: Decimal) -> Finding:
        row = found.documents.get(kind)
        if row is None:
            return Finding(FAILED, f"{title}: there is none.")
        if row.score < least:
            return _of(row, FAILED, f"{title}: {row.score} of 100, at least {least:f} are asked for.")
        return _of(row, PASSED, f"{title}: revision {row.revision}, {row.score} of 100.")

    return check


def _assessment(kind: str) -> Check:
    """Return a check that an assessment is complete, of what the version may do, approved, not past its review."""
    is_complete, title = _document(kind), KINDS[kind].title

    def check(found: Found, least: Decimal) -> Finding:
        finding = is_complete(found, least)
        if finding.state != PASSED:
            return finding
        row = found.documents[kind]
        if bytes(row.basis) != found.basis:
            return _of(row, FAILED, f"{title}: out of date, {_CHANGED}")
        if not row.content["review_due"]:
            return _of(row, FAILED, f"{title}: it does not say by which day it is looked at again.")
        due = end_of(date.fromisoformat(row.content["review_due"]))
        if due <= found.now:
            return _of(row, FAILED, f"{title}: its review was due on {row.content['review_due']}.")
        return _reviewed(found, row, due)

    return check


def _reviewed(found: Found, row: Document, due: datetime) -> Finding:
    title, verdict = KINDS[row.kind].title, found.verdicts.get(row.pk)
    if verdict is None:
        return _of(row, PENDING, f"{title}: revision {row.revision} waits for the approval of another officer.")
    if verdict.verdict == DocumentReview.Verdict.REFUSED:
        return _of(row, FAILED, f"{title}: revision {row.revision} was refused.")
    why = f"{title}: approved, to be reviewed by {row.content['review_due']}."
    return Finding(PASSED, why, verdict.actor, verdict.given_at, due)


def end_of(day: date) -> datetime:
    """Return the moment at which a day is over (UTC); of the last day there is, its last moment."""
    begin = datetime.combine(day, time(), UTC)
    return begin + timedelta(days=1) if day < date.max else datetime.max.replace(tzinfo=UTC)


def _epsilon(found: Found, most: Decimal) -> Finding:
    row = found.documents.get("card")
    epsilon = row.content["training"]["epsilon"] if row else None
    if row is None or epsilon is None:
        return Finding(FAILED, "No model card states the epsilon of the training.")
    limits = [(most, "of the gate"), *_budgets(row.content["training"]["data"])]
    least, whose = min(limits, key=lambda limit: limit[0])
    state = PASSED if Decimal(str(epsilon)) <= least else FAILED
    return _of(row, state, f"Epsilon {epsilon} of the training, at most {least.normalize():f} {whose}.")


def _budgets(data: Sequence[Mapping[str, Any]]) -> list[tuple[Decimal, str]]:
    """Return the privacy budgets of the data sets that a card names: a training may not use more than the whole."""
    names = [each["name"] for each in data]
    budgets = PrivacyBudget.objects.filter(data_set__in=names)
    return [(budget.epsilon_total, f"of the privacy budget of “{budget.data_set}”") for budget in budgets]


def _measured(kinds: tuple[str, ...], name: str, what: str, judge: Judge | None = None) -> Check:
    """Return a check of the newest row of evidence of a name; a row that has ended is none."""

    def check(found: Found, threshold: Decimal) -> Finding:
        rows = [found.evidence[kind, name] for kind in kinds if (kind, name) in found.evidence]
        if not rows:
            return Finding(FAILED, f"{what}: there is no evidence about this file.")
        row = max(rows, key=lambda each: each.pk)
        if row.valid_until is not None and row.valid_until <= found.now:
            return _by(row, FAILED, f"{what}: the evidence ended on {row.valid_until:%Y-%m-%d}.")
        if not row.is_passed:
            return _by(row, FAILED, f"{what}: {audits.unmeasured(row)}")
        return judge(found, row, threshold) if judge else _by(row, PASSED, f"{what}: passed.")

    return check


def _audited(name: str, what: str, judge: AuditJudge) -> Check:
    """Return a check of the newest audit of a name, whose figures a judge compares."""

    def compare(_found: Found, row: Evidence, threshold: Decimal) -> Finding:
        is_met, why = judge(row, threshold)
        return _by(row, PASSED if is_met else FAILED, f"{what}: {why}")

    return _measured(_AUDIT, name, what, compare)


def _files(found: Found, row: Evidence, _threshold: Decimal) -> Finding:
    """Ask for a verification of the card that stands: one of an earlier revision says nothing of this one."""
    card = found.documents.get("card")
    if card is None or card.revision != row.figures.get("card"):
        return _by(row, FAILED, "Files and figures: the card was changed after it was verified.")
    return _by(row, PASSED, "Files and figures: nothing differs, and nothing is missing.")


def _segments(_found: Found, row: Evidence, least: Decimal) -> Finding:
    count, smallest = row.figures.get("segments", 0), row.figures.get("smallest", 0)
    if not count:
        return _by(row, PASSED, "It has no segments.")
    state = PASSED if smallest >= least else FAILED
    return _by(row, state, f"The smallest of {count} segments has {smallest} people, at least {least:f} are asked for.")


def _fresh(found: Found, row: Evidence, days: Decimal) -> Finding:
    newest = datetime.fromisoformat(row.figures["newest"]) if "newest" in row.figures else None
    if newest is None or newest > found.now + CLOCKS_DIFFER:
        return _by(row, FAILED, "Freshness: of its newest data no moment is known that is over.")
    ends = newest + timedelta(days=float(days))
    state = PASSED if ends > found.now else FAILED
    finding = _by(row, state, f"Its newest data is of {newest:%Y-%m-%d}, at most {days:f} days old.")
    return Finding(finding.state, finding.why, finding.owner, finding.at, first(finding.until, ends))


def _alike(_found: Found, row: Evidence, _threshold: Decimal) -> Finding:
    items = row.figures.get("general_list")
    measured = f" with {items} items, measured at the training" if items is not None else ""
    return _by(row, PASSED, f"Who opted out is served no worse{measured}.")


def _quality(found: Found, most: Decimal) -> Finding:
    """Compare the figures per level: nDCG of the first ten, in thousandths."""
    own, version = _ndcg(found.version.metrics), found.version
    if not own:
        return Finding(FAILED, "Quality: the training measured none.")
    before = _ndcg(found.before.metrics) if found.before else {}
    worst = max(((before[level] - own.get(level, 0), level) for level in before), default=None)
    if worst is None:
        return Finding(PASSED, "Quality: measured; no version in use to compare with.", "training", version.created_at)
    loss, level = worst
    state = PASSED if loss <= most else FAILED
    why = f"Quality: at most {loss} thousandths below {found.before} (level {level}); {most:f} are allowed."
    return Finding(state, why, "training", version.created_at)


def _ndcg(metrics: Mapping[str, Any]) -> dict[str, int]:
    return {str(level): int(figure) for level, figure in metrics.get("ndcg_at_10_per_mille", {}).items()}


def _of(row: Document, state: str, why: str) -> Finding:
    return Finding(state, why, row.made_by, row.made_at)


def _by(row: Evidence, state: str, why: str) -> Finding:
    return Finding(state, why, row.made_by, row.made_at, row.valid_until)


def first(*moments: datetime | None) -> datetime | None:
    """Return the first of some moments; None is never."""
    return min((moment for moment in moments if moment is not None), default=None)


_WHOLE = Decimal(100)
_AUDIT, _ANY = (Evidence.Kind.AUDIT.value,), tuple(Evidence.Kind.values)
GATES: Mapping[str, Gate] = {
    "card": Gate("Model card", "a model card that is complete", _document("card"), _WHOLE, "of 100"),
    "datasheet": Gate("Data sheet", "a data sheet that is complete", _document("datasheet"), _WHOLE, "of 100"),
    "dpia": Gate(
        "Impact assessment",
        "a data protection impact assessment: complete, of what the version may do, approved, not past its review",
        _assessment("dpia"), _WHOLE, "of 100",
    ),
    "fria": Gate(
        "Fundamental rights",
        "a fundamental-rights assessment: complete, of what the version may do, approved, not past its review",
        _assessment("fria"), _WHOLE, "of 100",
    ),
    "runbook": Gate("Runbook", "a runbook with contacts", _document("runbook"), _WHOLE, "of 100"),
    "segments": Gate(
        "Size of segments", "that no segment is smaller than k people",
        _measured(_ANY, "segments", "Size of segments", _segments), Decimal(20), "people",
    ),
    "quality": Gate(
        "Quality", "no worse quality than the version in use, but for so many thousandths",
        _quality, Decimal(20), "thousandths",
    ),
    "fallback": Gate(
        "Fallback", "that there is an answer when the model gives none",
        _measured(_ANY, "fallback", "Fallback"),
    ),
    "freshness": Gate(
        "Freshness", "training data that is not older than so many days",
        _measured(_ANY, "freshness", "Freshness", _fresh), Decimal(90), "days",
    ),
    "files": Gate(
        "Files and figures", "figures and digests of the card that come out of the version's files again",
        _measured(_AUDIT, "files", "Files and figures", _files),
    ),
    "opted_out": Gate(
        "Service without a profile",
        "no worse service for people who opted out: as many items, none that only the model offers, no slower class",
        _measured(_ANY, "opted_out", "Service without a profile", _alike),
    ),
    "epsilon": Gate(
        "Privacy budget", "an epsilon of the training of at most this, and within the budgets of its data",
        _epsilon, Decimal(3), "epsilon",
    ),
    "bias_audit": Gate(
        "Bias audit", "that no group of people is served much worse than the others",
        _audited("bias", "Bias audit", audits.bias), Decimal("0.8"), "of the others",
    ),
    "leak_audit": Gate(
        "Leak audit", "that the model gives away neither who it was trained on nor what they did",
        _audited("leak", "Leak audit", audits.leak), Decimal("0.2"), "gain over guessing",
    ),
    "adversarial_audit": Gate(
        "Adversarial audit", "that hostile input and a few fake profiles change little",
        _audited("adversarial", "Adversarial audit", audits.adversarial), Decimal("0.25"), "of people",
    ),
    "regression_audit": Gate(
        "Recorded cases", "that recorded cases are answered as recorded",
        _audited("regression", "Recorded cases", audits.regression), Decimal(0), "cases",
    ),
    "ageing_audit": Gate(
        "Quality by age", "that quality does not fall fast after a training",
        _audited("ageing", "Quality by age", audits.ageing), Decimal(50), "thousandths",
    ),
}  # fmt: skip
