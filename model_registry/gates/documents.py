"""Checks of documents: complete, of what the version may do, approved by those who have to, not past their review."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from model_registry.documents.kinds import KINDS
from model_registry.documents.models import Document
from model_registry.gates import reviewing
from model_registry.gates.findings import FAILED, PASSED, PENDING, Finding, end_of, of
from model_registry.gates.found import Found
from model_registry.gates.models import DocumentReview
from oversight.officers import single
from privacy.models import PrivacyBudget

Check = Callable[[Found, Decimal], Finding]
_CHANGED = "the purposes, data, recipients, regions, level or address of the engine have changed since it was made."


def document(kind: str) -> Check:
    """Return a check that a document is there and complete enough."""
    title = KINDS[kind].title

    def check(found: Found, least: Decimal) -> Finding:
        row = found.documents.get(kind)
        if row is None:
            return Finding(FAILED, f"{title}: there is none.")
        if row.score < least:
            return of(row, FAILED, f"{title}: {row.score} of 100, at least {least:f} are asked for.")
        return of(row, PASSED, f"{title}: revision {row.revision}, {row.score} of 100.")

    return check


def assessment(kind: str) -> Check:
    """Return a check that an assessment is complete, of what the version may do, approved, not past its review."""
    is_complete, title = document(kind), KINDS[kind].title

    def check(found: Found, least: Decimal) -> Finding:
        finding = is_complete(found, least)
        if finding.state != PASSED:
            return finding
        row = found.documents[kind]
        if bytes(row.basis) != found.basis:
            return of(row, FAILED, f"{title}: out of date, {_CHANGED}")
        if not row.content["review_due"]:
            return of(row, FAILED, f"{title}: it does not say by which day it is looked at again.")
        due = end_of(date.fromisoformat(row.content["review_due"]))
        if due <= found.now:
            return of(row, FAILED, f"{title}: its review was due on {row.content['review_due']}.")
        return _approved(found, row, due)

    return check


def _approved(found: Found, row: Document, due: datetime) -> Finding:
    title, standing = f"{KINDS[row.kind].title}: revision {row.revision}", reviewing.standing(row, found.reviews)
    if standing.is_refused:
        return of(row, FAILED, f"{title} was refused.")
    if not standing.approvals:
        return of(row, PENDING, f"{title} waits for the approval of another officer.")
    if not standing.is_approved:
        return of(row, PENDING, f"{title} has no officer as its author. A second officer has to approve it, too.")
    last = standing.approvals[-1]
    why = f"{KINDS[row.kind].title}: approved, to be reviewed by {row.content['review_due']}."
    return Finding(PASSED, why, last.actor, last.given_at, due)


def roles(found: Found, _threshold: Decimal) -> Finding:
    """Ask for an approval by each role that the demands name, each by another officer where one of them says so.

    It counts of a document that is approved: of one without an officer as its author, by a second officer, too.
    """
    asked, are_separate = reviewing.asked_of(found.demands)
    rows = found.documents.values()
    given = reviewing.by_role(rows, found.reviews)
    approved = [row for row in rows if reviewing.standing(row, found.reviews).is_approved]
    signed = reviewing.by_role(approved, found.reviews)
    refused = [role for role in asked if given[role].refused]
    missing = [role for role in asked if not signed[role].approvals]
    waiting = [role for role in missing if given[role].approvals]
    if not asked:
        return Finding(FAILED, "Reviews: no role is named.")
    if refused:
        return Finding(FAILED, f"Reviews: refused by {_named(refused)}.")
    is_separate = not are_separate or reviewing.has_one_each([signed[role].reviewers for role in asked])
    if are_separate and (len(missing) > 1 or not (missing or is_separate)) and single.is_single():
        why = f"Reviews: {_named(asked)} need one officer each, and this installation has one: nobody can give them. "
        return Finding(PENDING, f"{why}Switch “Each role by another officer” off in the release gate.")
    if waiting:
        return Finding(PENDING, f"Reviews: what {_named(waiting)} approved waits for the approval of another officer.")
    if missing:
        return Finding(PENDING, f"Reviews: waits for an approval by {_named(missing)}.")
    if not is_separate:
        return Finding(PENDING, f"Reviews: {_named(asked)} need one officer each; one approved for two of them.")
    last = max((signed[role].approvals[-1] for role in asked), key=lambda review: review.given_at)
    return Finding(PASSED, f"Reviews: approved by {_named(asked)}.", last.actor, last.given_at)


def _named(wanted: Sequence[str]) -> str:
    return ", ".join(DocumentReview.Role(role).label.lower() for role in wanted)


def contact(found: Found, _threshold: Decimal) -> Finding:
    """Ask for a contact for incidents, and what is done then."""
    row = found.documents.get("runbook")
    if row is None:
        return Finding(FAILED, "Incident contact: there is no runbook.")
    names = [each["name"] for each in row.content["contacts"] if each["name"].strip() and each["contact"].strip()]
    if not names or not row.content["answers"].get("incident", "").strip():
        return of(row, FAILED, "Incident contact: the runbook does not say who is called, or what is reported to whom.")
    return of(row, PASSED, f"Incident contact: {names[0]}, and {len(names) - 1} more.")


def epsilon(found: Found, most: Decimal) -> Finding:
    """Compare the epsilon of the training with the gate's, and with the budgets of its data."""
    row = found.documents.get("card")
    spent = row.content["training"]["epsilon"] if row else None
    if row is None or spent is None:
        return Finding(FAILED, "No model card states the epsilon of the training.")
    limits = [(most, "of the gate"), *_budgets(row.content["training"]["data"])]
    least, whose = min(limits, key=lambda limit: limit[0])
    state = PASSED if Decimal(str(spent)) <= least else FAILED
    return of(row, state, f"Epsilon {spent} of the training, at most {least.normalize():f} {whose}.")


def _budgets(data: Sequence[Mapping[str, Any]]) -> list[tuple[Decimal, str]]:
    """Return the privacy budgets of the data sets that a card names: a training may not use more than the whole."""
    names = [each["name"] for each in data]
    budgets = PrivacyBudget.objects.filter(data_set__in=names)
    return [(budget.epsilon_total, f"of the privacy budget of “{budget.data_set}”") for budget in budgets]
