"""Facts: the policy's input from a question and what is known, never identity.

Every string in the facts comes out of a closed vocabulary (the bundle's registers or a list here); what a caller wrote
that is in no vocabulary becomes ``unknown``. So facts cannot carry an identity even if a caller puts one where a
purpose belongs, the log holds no personal data, and the memo stays small.

Everything that changes with the clock is already a state. ``valid_until`` is when one of them would change.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from common.levels import LEVELS
from common.rollouts.shares import are_in_share
from consent.ledger import scopes
from consent.ledger.projection import ConsentEntry
from consent.ledger.selectors import state_now
from policies.bundles.loading import LoadedBundle, PurposeFacts
from policies.decisions import agreements
from policies.decisions.information import NO_SUBJECT, Information
from policies.decisions.memo import ENTRY_BYTES, MIB, Memo
from policies.decisions.questions import Question

ACTIONS = frozenset({"personalize", "collect", "share", "train", "release", "price", "contact", "transfer"})
CHANNELS = frozenset({"web", "app", "email", "sms", "push", "post", "phone", "store"})
SOURCES = frozenset({"api", "app", "banner", "dashboard", "email", "import", "phone", "post", "store"})
AGE_BANDS = frozenset({"adult", "minor", "child"})
UNKNOWN = "unknown"
HIGHEST = "individual"
_MAX_CATEGORIES = 64
_UNKNOWN_MODEL: Mapping[str, Any] = {
    "id": UNKNOWN,
    "version": 0,
    "status": UNKNOWN,
    "max_level": "none",
    "purposes": [],
    "gates": UNKNOWN,
}

_Kind = tuple[Any, ...]
_Ended = tuple[tuple[str, ...], tuple[str, ...]]  # instruments of transfer, and rules of display out of their days


class Facts(msgspec.Struct, frozen=True):
    """The policy input as bytes (its own memo key) and the moment it would change, in epoch seconds."""

    document: bytes
    valid_until: float | None


_encode = msgspec.json.Encoder().encode


def build(question: Question, known: Information, bundle: LoadedBundle, now: float) -> Facts:
    """Return the facts as of ``now`` (epoch seconds)."""
    if known.gpc and not question.gpc:
        question = msgspec.structs.replace(question, gpc=True)
    purpose = question.purpose if question.purpose in bundle.purposes else UNKNOWN
    chosen = scopes.effective(
        known.consents,
        purpose,
        channel=question.channel,
        recipient=question.recipient,
        categories=question.data_categories,
    )
    expired, instruments_end = _instruments(bundle, now)
    gates_end = bundle.gate_ends.get(question.model) if question.model and bundle.gate_ends else None
    is_shown = bundle.display_times and question.action == "personalize"
    idle, display_change = _idle_rules(bundle, now) if is_shown else ((), None)
    about_purpose = bundle.purposes.get(purpose)
    person = _encode(_about_person(question, chosen, known, bundle, about_purpose, now, known.limits.get(purpose, ())))
    slugs = (purpose, *about_purpose.ancestors) if about_purpose else ()
    return Facts(
        _about_request(question, purpose, (expired, idle), bundle, now) + person[1:],
        _first_end(
            [*chosen.narrower, *map(known.consents.get, slugs)], (instruments_end, gates_end, display_change), now
        ),
    )


def _instruments(bundle: LoadedBundle, now: float) -> tuple[tuple[str, ...], float | None]:
    """Return the instruments of transfer that have ended, and when the next one will."""
    if not bundle.instrument_ends:
        return (), None
    ended = tuple([slug for slug, end in bundle.instrument_ends if end <= now])
    return ended, min((end for _, end in bundle.instrument_ends if end > now), default=None)


def idle_rules(bundle: LoadedBundle, now: float) -> tuple[str, ...]:
    """Return the rules of display that are not in force yet or no longer."""
    return tuple(
        slug
        for slug, start, end in bundle.display_times
        if (start is not None and now < start) or (end is not None and end <= now)
    )


def _idle_rules(bundle: LoadedBundle, now: float) -> tuple[tuple[str, ...], float | None]:
    """Return the rules of display that are outside their days, and when that changes."""
    idle = idle_rules(bundle, now)
    moments = (moment for _, *times in bundle.display_times for moment in times)
    return idle, min((moment for moment in moments if moment is not None and moment > now), default=None)


def _about_person(
    question: Question,
    chosen: scopes.Effective,
    known: Information,
    bundle: LoadedBundle,
    purpose: PurposeFacts | None,
    now: float,
    limits: Collection[str],
) -> dict[str, Any]:
    region = region_in(question.region or known.region, bundle)
    state = _state(chosen.entry, purpose, now)
    consent = _consent(chosen, state, known, bundle, purpose)
    ancestors = _ancestors(known, bundle, purpose, now)
    # Nearly everybody agreed to all that the register says.
    if purpose is not None and (purpose.beyond or (chosen.entry is None and purpose.borrowed)):
        consent = agreements.narrowed(consent, chosen.entry, question, known.consents, purpose, ancestors, now)
    return {
        "consent": consent,
        "ancestors": ancestors,
        "objection": state == "objected",
        "restricted": known.restricted or "restricted" in limits,
        "held": known.held or "held" in limits,
        "subject": {
            "region": region,
            "jurisdiction": bundle.data["residency"]["jurisdiction_of"].get(region, UNKNOWN),
            "age_band": _age_band(question, known),
            # A row without a choice is there for a hold on someone who has not chosen yet, or after an erasure.
            "known": bool(known.subject_revision) and not known.erased,
        },
        "engine": {
            "segment_k": question.segment_size,
            "privacy_budget": question.privacy_budget,
        },
        "time": {"quiet_hours": question.action == "contact" and _is_quiet(region, bundle, now)},
        **(_unsampled(question, bundle) if bundle.review_samples else {}),
    }


def _unsampled(question: Question, bundle: LoadedBundle) -> dict[str, list[str]]:
    """Return the rules of review whose sample the person is outside of; no member where there is none.

    A place in a sample follows from the person, so a person is always inside or always outside.
    """
    if question.action != "personalize":
        return {}
    people = (question.subject_ref,)
    outside = [slug for slug, share, salt in bundle.review_samples if not are_in_share(people, share=share, salt=salt)]
    return {"unsampled_reviews": outside} if outside else {}


def _size_of(kind: _Kind, members: bytes) -> int:
    revision, action, purpose, level, categories, region, recipient, channel, *_, tcf_purposes, model, ended = kind
    expired, idle = ended
    named = (revision, action, purpose, level, region, recipient, channel, model)
    words = [*filter(None, named), *categories, *expired, *idle]
    items = len(categories) + len(expired) + len(idle) + len(tcf_purposes)
    # Four bytes a character, at most, and the object around them.
    return ENTRY_BYTES + len(members) + 8 * items + 80 * len(words) + 4 * sum(map(len, words))


REQUEST_MEMBERS: Memo[_Kind, bytes] = Memo(4 * MIB, _size_of)


def _about_request(question: Question, purpose: str, ended: _Ended, bundle: LoadedBundle, now: float) -> bytes:
    """Return the members of the facts that say nothing about the person, encoded once for each kind of request."""
    has_ended = bool(question.model) and gates_have_ended(question.model, bundle, now)
    is_its_person = bool(bundle.canaries) and _is_in_share(question, bundle)
    kind = (
        bundle.revision, question.action, purpose, question.requested_level, question.data_categories[:_MAX_CATEGORIES],
        question.processing_region, question.recipient, question.channel, question.gpc, question.gpp_opt_out,
        question.tcf_present, has_ended, is_its_person, question.is_visitor, question.tcf_purposes, question.model,
        ended,
    )  # fmt: skip
    members = REQUEST_MEMBERS.get(kind)
    if members is None:
        model = model_in(question.model, bundle, now, is_its_person=is_its_person)
        members = _encode(_request_members(question, purpose, ended, bundle, model))[:-1] + b","
        REQUEST_MEMBERS.remember(kind, members)
    return members


def _request_members(
    question: Question,
    purpose: str,
    ended: _Ended,
    bundle: LoadedBundle,
    model: Mapping[str, Any] | None,
) -> dict[str, Any]:
    expired, idle = ended
    return {
        "action": question.action if question.action in ACTIONS else UNKNOWN,
        "purpose": purpose,
        "requested_level": question.requested_level if question.requested_level in LEVELS else "none",
        "signals": {
            "gpc": question.gpc,
            "gpp_opt_out": question.gpp_opt_out,
            "tcf_present": question.tcf_present,
            "tcf_purposes": sorted(set(question.tcf_purposes)),
        },
        "processing": _processing(question, expired, bundle),
        "model": model,
        **({"idle_display_rules": idle} if idle else {}),
        **({"visitor": True} if question.is_visitor else {}),
    }


def _consent(
    chosen: scopes.Effective, state: str, known: Information, bundle: LoadedBundle, purpose: PurposeFacts | None
) -> dict[str, Any]:
    entry, refused = chosen.entry, chosen.refused_categories
    return {
        "state": "not_required" if state == "objected" else state,
        "explicit": bool(entry and entry["e"]),
        "notice_current": state != "renewal_required",
        "channel_allowed": chosen.channel_allowed,
        "refused_categories": [c for c in refused if c in bundle.categories] if refused else (),
        "unagreed_categories": (),
        "lifts_signal": state == "given" and bool(entry and entry.get("told")),
        "max_level": _max_level(entry, purpose, known),
        "source": _one_of(entry["src"] if entry else None, SOURCES),
    }


def _ancestors(known: Information, bundle: LoadedBundle, purpose: PurposeFacts | None, now: float) -> dict[str, str]:
    """Return the states of the broader purposes, by name."""
    slugs = purpose.ancestors if purpose else ()
    return {slug: _state(known.consents.get(slug), bundle.purposes.get(slug), now) for slug in slugs}


def _max_level(entry: ConsentEntry | None, facts: PurposeFacts | None, known: Information) -> str:
    """Return the person's own limit; without an own answer of the purpose, the broader answers' limits count."""
    if entry is None and facts is not None:
        limits = [known.consents[slug].get("lv", HIGHEST) for slug in facts.ancestors if slug in known.consents]
        return min(limits, key=lambda level: LEVELS.get(level, 0), default=HIGHEST)
    return str(entry.get("lv", HIGHEST)) if entry else HIGHEST


def _state(entry: ConsentEntry | None, facts: PurposeFacts | None, now: float) -> str:
    if facts is None:
        return "never_asked"
    return state_now(entry, legal_basis=facts.legal_basis, required_notice=facts.required_notice, now_epoch=now)


def region_in(code: str, bundle: LoadedBundle) -> str:
    """Return the region as the register knows it: the code itself, else its country, else ``unknown``."""
    regions = bundle.data["residency"]["regions"]
    if code in regions:
        return code
    country = code.partition("-")[0]
    return country if country in regions else UNKNOWN


def states_another_region(question: Question, known: Information, bundle: LoadedBundle) -> bool:
    """Return whether a caller's region is not the register's: it may only make the answer stricter."""
    if not question.region or not known.region or question.region == known.region:
        return False
    return region_in(question.region, bundle) != region_in(known.region, bundle)


def _age_band(question: Question, known: Information) -> str:
    # The register's answer stands: a caller may state a lower age, never that a minor is adult.
    if known.age_band in ("minor", "child"):
        return known.age_band
    if question.age_band in AGE_BANDS:
        return str(question.age_band)
    return known.age_band if known.age_band in AGE_BANDS else UNKNOWN


def _processing(question: Question, expired: tuple[str, ...], bundle: LoadedBundle) -> dict[str, Any]:
    residency = bundle.data["residency"]
    wanted = question.data_categories[:_MAX_CATEGORIES]
    categories = sorted({c if c in bundle.categories else UNKNOWN for c in wanted})
    return {
        "region": question.processing_region if question.processing_region in residency["processing"] else UNKNOWN,
        "recipient": _one_of(question.recipient, bundle.recipients),
        "channel": _one_of(question.channel, CHANNELS),
        "data_categories": categories,
        "sensitive": [c for c in categories if c in bundle.sensitive],
        "expired_instruments": expired,
    }


def _one_of(value: str | None, vocabulary: frozenset[str]) -> str | None:
    if value is None:
        return None
    return value if value in vocabulary else UNKNOWN


def gates_have_ended(name: str | None, bundle: LoadedBundle, now: float) -> bool:
    """Return whether evidence of a model version has ended, so that its gates are failed as of ``now``."""
    end = bundle.gate_ends.get(name) if name and bundle.gate_ends else None
    return end is not None and end <= now


def _is_in_share(question: Question, bundle: LoadedBundle) -> bool:
    """Return whether the version asked about is a canary that serves this person."""
    canary = bundle.canaries.get(question.model) if question.model else None
    return canary is not None and canary.serves(() if question.subject_ref == NO_SUBJECT else (question.subject_ref,))


def model_in(
    name: str | None, bundle: LoadedBundle, now: float, *, is_its_person: bool = False
) -> Mapping[str, Any] | None:
    """Return a model version as the register knows it as of ``now``, the unknown one where it does not.

    A canary is live for a person in its share (``is_its_person``), and for no other: which side a person is on is a
    state like those of the clock, so no rule and no engine computes a share.
    """
    if name is None:
        return None
    model = bundle.data["models"].get(name, _UNKNOWN_MODEL)
    known = {member: model[member] for member in _UNKNOWN_MODEL}
    if is_its_person and name in bundle.canaries:
        known["status"] = "live"
    return {**known, "gates": "failed"} if gates_have_ended(name, bundle, now) else known


def _is_quiet(region: str, bundle: LoadedBundle, now: float) -> bool:
    zone = bundle.data["residency"]["time_zone_of"].get(region, "UTC")
    hour = datetime.fromtimestamp(now, tz=UTC).astimezone(ZoneInfo(zone)).hour
    quiet = bundle.data["quiet_hours"]
    start, end = int(quiet["start"]), int(quiet["end"])
    return start <= hour or hour < end if start > end else start <= hour < end


def _first_end(entries: Iterable[ConsentEntry | None], others: Iterable[float | None], now: float) -> float | None:
    """Return when the first of these choices or other states ends from now on, if one does."""
    ends = [*others, *[entry["x"] for entry in entries if entry]]
    return min([end for end in ends if end and end > now], default=None)
