"""What of a question lies beyond the agreement of the person: worked out only where something does.

A yes covers the terms of the notice version it was given to, a yes to a broader purpose what the terms of the broader
one name. A yes to a part covers what it names itself, however old the yes to the whole is.
"""

from collections.abc import Collection, Mapping
from typing import Any

from common.levels import LEVELS
from consent.ledger import scopes
from consent.ledger.projection import ConsentEntry, Consents
from consent.ledger.selectors import state_now
from consent.register.part_words import LEVEL
from consent.register.terms import Beyond, rank, unanswered
from policies.bundles.loading import PurposeFacts
from policies.decisions.questions import Question

STANDS_AGAINST = frozenset({"refused", "withdrawn", "expired", "renewal_required"})
# The question may be asked of the person anew; until then nothing of the yes counts for it.
ASK_AGAIN: Mapping[str, Any] = {"state": "renewal_required", "notice_current": False, "lifts_signal": False}
# The person was asked about it and said no, while the yes stands for all else.
DECLINED: Mapping[str, Any] = {"state": "refused", "lifts_signal": False}
_PERSONALIZE = "personalize"


def narrowed(
    consent: dict[str, Any],
    entry: ConsentEntry | None,
    question: Question,
    consents: Consents,
    facts: PurposeFacts,
    ancestors: Mapping[str, str],
    now: float,
) -> dict[str, Any]:
    """Return the facts about consent, narrowed to what was agreed to; they hold what would count otherwise."""
    more = None
    if entry is None:
        if consent["state"] == "never_asked":
            more = _beyond_borrowed(consents, facts, ancestors)
    elif consent["state"] == "given":
        agreed = _agreement(entry, question.purpose, consents, facts, now)
        more = facts.beyond.get(agreed["n"])
        if more is not None and "d" in agreed:
            asked = unanswered(facts.beyond, agreed["n"], agreed["d"]) or more
            return {**consent, **_declined(more, asked, consent, question, consents, facts, now)}
    return consent if more is None else {**consent, **_limits(more, consent, question, consents, facts, now)}


def _agreement(entry: ConsentEntry, purpose: str, consents: Consents, facts: PurposeFacts, now: float) -> ConsentEntry:
    """Return the yes whose terms count. A yes to a part rests on one to the whole."""
    whole = consents.get(purpose)
    if whole is not None and whole is not entry and _is_given(whole, facts, now):
        return whole
    return entry


def _declined(
    more: Beyond,
    asked: Beyond,
    consent: dict[str, Any],
    question: Question,
    consents: Consents,
    facts: PurposeFacts,
    now: float,
) -> Mapping[str, Any]:
    """Return the same where some of ``more`` was declined and ``asked`` is the rest: nothing is asked anew about it."""
    if _does_new(more, question.action) and not _does_new(asked, question.action):
        return DECLINED
    limits = _limits(more, consent, question, consents, facts, now)
    if asked.max_level is None and limits.get("unagreed") == [LEVEL]:
        return {name: value for name, value in limits.items() if name != "unagreed"}
    return limits


def _beyond_borrowed(consents: Consents, facts: PurposeFacts, ancestors: Mapping[str, str]) -> Beyond | None:
    """Return what the register says beyond the nearest yes to a broader purpose, if it is that yes that counts."""
    states = set(ancestors.values())
    if "given" not in states or not states.isdisjoint(STANDS_AGAINST):
        return None
    nearest = next(slug for slug, state in ancestors.items() if state == "given")
    return facts.borrowed[nearest].of(consents[nearest]["n"])


def _limits(
    more: Beyond, consent: dict[str, Any], question: Question, consents: Consents, facts: PurposeFacts, now: float
) -> Mapping[str, Any]:
    """Return the facts about consent that change because ``more`` was not agreed to."""
    if more.everything:
        return ASK_AGAIN
    has_parts = more.data_categories or more.recipients or more.channels
    parts = _given_parts(question, consents, facts, now) if has_parts else []
    if about := new_parts(more, question.action, question.recipient, question.channel, given=parts):
        return {**ASK_AGAIN, "unagreed": about}
    level = limited_level(more, consent, question.action, question.requested_level)
    if not more.data_categories:
        return level
    named = facts.data_categories.intersection(question.data_categories or facts.data_categories)
    refused = named.intersection(
        consent["refused_categories"] if question.data_categories else _refused(question, consents, named)
    )
    new = (named & more.data_categories) - {part.get("data_category") for part in parts}
    if new - refused and new | refused == named:
        return {**ASK_AGAIN, "unagreed": sorted(new - refused)}
    return {
        **level,
        # A question that names no data is about all of it, so what is new has to be left out by name.
        "refused_categories": sorted(new.union(consent["refused_categories"], refused & more.data_categories)),
        "unagreed_categories": sorted(new - refused),
    }


def limited_level(more: Beyond, consent: dict[str, Any], action: str, requested: str) -> dict[str, Any]:
    """Return the limit of the level, and that it is the agreement's where it lowers what is asked for."""
    if more.max_level is None or rank(more.max_level) >= rank(consent["max_level"]):
        return {"max_level": consent["max_level"]}
    is_asked = action == _PERSONALIZE and rank(requested) > rank(more.max_level)
    return {"max_level": more.max_level, **({"unagreed": [LEVEL]} if is_asked else {})}


def new_parts(
    more: Beyond, action: str, recipient: str | None, channel: str | None, *, given: Collection[Mapping[str, str]] = ()
) -> list[str]:
    """Return what is done, for whom and by which way, as far as it is in ``more`` and in no part ``given`` a yes."""
    if _does_new(more, action):
        return [action]
    return [
        value
        for dimension, value, new in (("recipient", recipient, more.recipients), ("channel", channel, more.channels))
        if value in new and not any(part.get(dimension) == value and "data_category" not in part for part in given)
    ]


def _does_new(more: Beyond, action: str) -> bool:
    """Return whether an action was never agreed to, for any recipient and by any way."""
    is_personal_at_all = action == _PERSONALIZE and LEVELS.get(more.max_level or "", 1) == 0
    return action in more.actions or is_personal_at_all


def _given_parts(question: Question, consents: Consents, facts: PurposeFacts, now: float) -> list[dict[str, str]]:
    """Return the parts the question is about that the person said yes to."""
    prefix = f"{question.purpose}?"
    found = (
        scopes.parts(place[len(prefix) :])
        for place, entry in consents.items()
        if place.startswith(prefix) and _is_given(entry, facts, now)
    )
    return [
        part
        for part in found
        if part.get("channel", question.channel) == question.channel
        and part.get("recipient", question.recipient) == question.recipient
    ]


def _refused(question: Question, consents: Consents, categories: frozenset[str]) -> tuple[str, ...]:
    asked = scopes.effective(
        consents, question.purpose, channel=question.channel, recipient=question.recipient, categories=categories
    )
    return asked.refused_categories


def _is_given(entry: ConsentEntry, facts: PurposeFacts, now: float) -> bool:
    state = state_now(entry, legal_basis=facts.legal_basis, required_notice=facts.required_notice, now_epoch=now)
    return state == "given"
