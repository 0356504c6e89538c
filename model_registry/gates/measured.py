"""Checks of what trainings, audits and operators found out about a version's file."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from common.levels import Level
from common.suppression import smallest_group
from model_registry.gates import audits
from model_registry.gates.documents import Check
from model_registry.gates.findings import FAILED, PASSED, Finding, by, first
from model_registry.gates.found import Found
from model_registry.gates.models import Evidence

Judge = Callable[[Found, Evidence, Decimal], Finding]
AuditJudge = Callable[[Evidence, Decimal], tuple[bool, str]]
NONE = str(Level.NONE)
AUDIT, ANY = (Evidence.Kind.AUDIT.value,), tuple(Evidence.Kind.values)
CLOCKS_DIFFER = timedelta(days=1)
"""Data may seem so much newer than now: clocks differ, and days begin at another hour elsewhere."""


def measured(kinds: tuple[str, ...], name: str, what: str, judge: Judge | None = None) -> Check:
    """Return a check of the newest row of evidence of a name; a row that has ended is none."""

    def check(found: Found, threshold: Decimal) -> Finding:
        rows = [found.evidence[kind, name] for kind in kinds if (kind, name) in found.evidence]
        if not rows:
            return Finding(FAILED, f"{what}: there is no evidence about this file.")
        row = max(rows, key=lambda each: each.pk)
        if row.valid_until is not None and row.valid_until <= found.now:
            return by(row, FAILED, f"{what}: the evidence ended on {row.valid_until:%Y-%m-%d}.")
        if not row.is_passed:
            return by(row, FAILED, f"{what}: {audits.unmeasured(row)}")
        return judge(found, row, threshold) if judge else by(row, PASSED, f"{what}: passed.")

    return check


def audited(name: str, what: str, judge: AuditJudge) -> Check:
    """Return a check of the newest audit of a name, whose figures a judge compares."""

    def compare(_found: Found, row: Evidence, threshold: Decimal) -> Finding:
        is_met, why = judge(row, threshold)
        return by(row, PASSED if is_met else FAILED, f"{what}: {why}")

    return measured(AUDIT, name, what, compare)


def files(found: Found, row: Evidence, _threshold: Decimal) -> Finding:
    """Ask for a verification of the card that stands: one of an earlier revision says nothing of this one."""
    card = found.documents.get("card")
    if card is None or card.revision != row.figures.get("card"):
        return by(row, FAILED, "Files and figures: the card was changed after it was verified.")
    return by(row, PASSED, "Files and figures: nothing differs, and nothing is missing.")


def segments(_found: Found, row: Evidence, threshold: Decimal) -> Finding:
    count, smallest = row.figures.get("segments", 0), row.figures.get("smallest", 0)
    if not count:
        return by(row, PASSED, "It has no segments.")
    least = max(threshold, Decimal(smallest_group()))
    state = PASSED if smallest >= least else FAILED
    return by(row, state, f"The smallest of {count} segments has {smallest} people, at least {least:f} are asked for.")


def fresh(found: Found, row: Evidence, days: Decimal) -> Finding:
    newest = datetime.fromisoformat(row.figures["newest"]) if "newest" in row.figures else None
    if newest is None or newest > found.now + CLOCKS_DIFFER:
        return by(row, FAILED, "Freshness: of its newest data no moment is known that is over.")
    ends = newest + timedelta(days=float(days))
    state = PASSED if ends > found.now else FAILED
    finding = by(row, state, f"Its newest data is of {newest:%Y-%m-%d}, at most {days:f} days old.")
    return Finding(finding.state, finding.why, finding.owner, finding.at, first(finding.until, ends))


def alike(found: Found, row: Evidence, most: Decimal) -> Finding:
    """Compare the general list, which people get who opted out, with that of the version in use as well."""
    general = found.ndcg.get(NONE)
    if row.kind == Evidence.Kind.STATED:
        return by(row, PASSED, "Who opted out is served no worse, as its operator states.")
    if general is None:
        return by(row, FAILED, "Service without a profile: the quality of the general list was not measured.")
    lost = found.ndcg_before.get(NONE, general) - general
    if lost > most:
        why = f"The general list is {lost} thousandths below that of {found.before}; {most:f} are allowed."
        return by(row, FAILED, why)
    items = row.figures.get("general_list")
    return by(row, PASSED, f"Who opted out is served no worse: {items} items, quality {general} thousandths.")


def quality(found: Found, most: Decimal) -> Finding:
    """Compare the figures per level: nDCG of the first ten, in thousandths."""
    own, before, version = found.ndcg, found.ndcg_before, found.version
    if not own:
        return Finding(FAILED, "Quality: the training measured none.")
    worst = max(((before[level] - own.get(level, 0), level) for level in before), default=None)
    if worst is None:
        return Finding(PASSED, "Quality: measured; no version in use to compare with.", "training", version.created_at)
    loss, level = worst
    state = PASSED if loss <= most else FAILED
    why = f"Quality: at most {loss} thousandths below {found.before} (level {level}); {most:f} are allowed."
    return Finding(state, why, "training", version.created_at)
