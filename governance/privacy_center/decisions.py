"""Decisions about one person on the privacy dashboard: what was asked and answered, why, and what would change it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from consent.register import words
from governance.privacy_center.levels import Text
from policies.bundles import reasons
from policies.decision_log import reading
from policies.decisions import evaluate
from policies.engines.base import Reason, Verdict
from policies.explaining import counterfactuals
from policies.models import Decision

_REFUSALS = {"consent_refused", "consent_withdrawn"}
_DECISIONS_READ = 60
_DECISIONS_SHOWN = 8
_QUESTIONS = {
    "personalize": _("May we personalise for you?"),
    "collect": _("May we keep what you did?"),
    "train": _("May we learn from your data?"),
    "share": _("May we share your data?"),
    "contact": _("May we contact you?"),
    "price": _("May we set a personal price?"),
    "release": _("May we publish a statistic?"),
    "transfer": _("May your data go to another region?"),
}


def about(ref: UUID, names: dict[str, str], candidate: str | None) -> list[dict[str, Any]]:
    """Return the newest decisions about a person, under the names of purposes in their language."""
    return newest(reading.decisions_about(ref, limit=_DECISIONS_READ), names, candidate)


def newest(found: Iterable[Decision], names: dict[str, str], candidate: str | None) -> list[dict[str, Any]]:
    """Return the newest decisions; equal answers to equal questions are one entry."""
    alike: dict[tuple[Any, ...], list[Decision]] = {}
    for decision in found:
        alike.setdefault(_likeness(decision), []).append(decision)
    return [_decision(same, names, candidate) for same in islice(alike.values(), _DECISIONS_SHOWN)]


def _likeness(decision: Decision) -> tuple[Any, ...]:
    return decision.action, decision.purpose, decision.outcome, decision.level, tuple(decision.reasons)


def _decision(same: list[Decision], names: dict[str, str], candidate: str | None) -> dict[str, Any]:
    decision = same[0]
    entry = msgspec.json.decode(decision.entry)
    outcomes = {"permit": "permitted", "deny": "not_permitted", "unknown": "unknown"}
    return {
        "id": str(decision.id),
        "when": decision.decided_at,
        "times": len(same),
        "first": same[-1].decided_at,
        "question": _QUESTIONS.get(decision.action, _("May we use your data?")),
        "purpose_name": names.get(decision.purpose, ""),
        "outcome": outcomes[decision.outcome],
        "level_label": words.LEVELS.get(decision.level),
        "why": list(_why(decision, entry)),
        "follows_choice": bool(_REFUSALS.intersection(decision.reasons)),
        "would_change": _would_change(decision, entry, names, candidate),
    }


def _why(decision: Decision, entry: dict[str, Any]) -> Iterator[Text]:
    if decision.outcome == Decision.Outcome.PERMIT:
        basis = str(entry.get("legal_basis"))
        yield _("You had allowed it.") if basis == "consent" else words.BASES.get(basis, _("Our rules allow it."))
    for code in dict.fromkeys(decision.reasons):
        yield reasons.for_person(code)


def _would_change(decision: Decision, entry: dict[str, Any], names: dict[str, str], candidate: str | None) -> list[str]:
    if decision.outcome == Decision.Outcome.PERMIT and not decision.reasons:
        name = names.get(decision.purpose) if entry.get("legal_basis") == "consent" else None
        return [_("Turning off “%(purpose)s” stops this.") % {"purpose": name}] if name else []
    verdict = Verdict(
        revision=decision.bundle_revision,
        decision=decision.outcome == Decision.Outcome.PERMIT,
        level=decision.level or None,
        reasons=[Reason(code) for code in decision.reasons],
        obligations=[],
        legal_basis=None,
        requestable=False,
    )
    facts = msgspec.json.encode(entry["facts"])
    changes = counterfactuals.would_change(
        evaluate.render_verdict(verdict, facts, entry["engine"]), candidate=candidate
    )
    sentences = (_change_sentence(change, names) for change in changes or [])
    return list(dict.fromkeys(sentence for sentence in sentences if sentence))


def _change_sentence(change: dict[str, Any], names: dict[str, str]) -> str | None:
    if change["code"] == "grant_consent" and change["purpose"] in names:
        return _("Allowing “%(purpose)s” would change this.") % {"purpose": names[change["purpose"]]}
    if change["code"] == "approve_model":
        return str(_("It would be different if we switched the method on again."))
    return None
