"""Rules of the ledger: which record a choice becomes after what stands, and what decisions know of it.

Nothing is read or written here.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from audit import trail
from audit.commitments import new_salt, record_digest
from consent.ledger import scopes
from consent.ledger.choices import (
    NOT_GIVEN,
    REST_ON_A_YES,
    STATE_OF_CHOICE,
    AskedPurpose,
    Choice,
    Request,
    State,
    Subject,
    identifier_text,
)
from consent.ledger.projection import ConsentEntry
from consent.ledger.proof import proof_of
from consent.models import LegalBasis
from consent.problems import (
    AlreadyOfAge,
    CannotObject,
    ConsentNotAsked,
    ExplicitConsentNeeded,
    GuardianNeeded,
    NothingToAdjust,
    NothingToWithdraw,
    NoticeUnknown,
    PartUnknown,
    PurposeUnknown,
    Superseded,
)
from consent.register import jurisdictions
from consent.register.jurisdictions import clocks

_DAY_S = 86_400


def next_record(
    request: Request,
    choice: Choice,
    purpose: AskedPurpose,
    subject: Subject,
    *,
    identifier: str,
    previous: bytes | None,
    now: datetime,
) -> dict[str, Any]:
    """Return the record of one choice, chained to ``previous`` and with its digest; the rules of the ledger apply."""
    current = subject.consents.get(choice.place)
    _check_supersedes(choice, current)
    # What a withdrawal from another system ended may never have been here; the no counts all the same.
    nothing_in_force = current is None or current["s"] != State.GIVEN
    ended_elsewhere = choice.choice == "withdraw" and nothing_in_force and request.imported is not None
    if not ended_elsewhere:
        # A consent is adjusted or kept where it stands; every other choice about a part may rest on the whole.
        inherited = None if choice.choice in REST_ON_A_YES else subject.consents.get(choice.purpose)
        _check_allowed(choice, purpose, current or inherited)
    elif purpose.legal_basis != LegalBasis.CONSENT:
        raise ConsentNotAsked(f"'{purpose.slug}' rests on {purpose.legal_basis}, so there is nothing to withdraw.")
    _check_explicit(request, choice, purpose)
    law = _law(request, choice, subject)
    record = {"id": identifier, "salt": new_salt(), **_record(request, choice, purpose, current, law, now)}
    if current is None and choice.place in subject.ended:
        record["supersedes"] = subject.ended[choice.place]  # goes on behind what an erasure ended
    record["subject_revision"] = subject.revision + 1
    record["previous_digest"] = previous.hex() if previous else None
    return {**record, "digest": record_digest(record).hex()}


def checked_purpose(choice: Choice, purpose: AskedPurpose | None) -> AskedPurpose:
    """Return the purpose if the register knows it, the notice and the part that the choice names."""
    if purpose is None:
        raise PurposeUnknown("One of the purposes is not in the register, or is no longer in use.")
    if choice.notice_version is not None and not 1 <= choice.notice_version <= purpose.newest_notice:
        raise NoticeUnknown(f"The newest notice of '{purpose.slug}' is version {purpose.newest_notice}.")
    for named, known, what in (
        (choice.channel, purpose.channels, "channel"),
        (choice.recipient, purpose.recipients, "recipient"),
        (choice.data_category, purpose.data_categories, "kind of data"),
    ):
        if named is not None and named not in known:
            raise PartUnknown(f"The register names no such {what} for '{purpose.slug}'.")
    return purpose


def _check_supersedes(choice: Choice, current: ConsentEntry | None) -> None:
    seen = current["r"] if current else None
    if choice.supersedes is not NOT_GIVEN and identifier_text(choice.supersedes) != seen:
        raise Superseded(
            f"The choice for '{choice.purpose}' is no longer the one you saw. Read the state and ask again.",
            current=seen,
        )


def _check_allowed(choice: Choice, purpose: AskedPurpose, current: ConsentEntry | None) -> None:
    """Check a choice against ``current``: what stands for this part of the purpose, or else for the whole."""
    if choice.choice in REST_ON_A_YES and (current is None or current["s"] != State.GIVEN):
        raise NothingToAdjust(f"There is no consent in force for '{purpose.slug}'.")
    if choice.choice == "keep" and (choice.scope or purpose.notice.version <= (current or {"n": 0})["n"]):
        raise NothingToAdjust(f"The consent for '{purpose.slug}' as a whole covers that version of its notice.")
    if choice.choice == "withdraw" and (current is None or current["s"] != State.GIVEN):
        raise NothingToWithdraw(f"There is no consent in force for '{purpose.slug}'.")
    objectable = purpose.legal_basis in (LegalBasis.LEGITIMATE_INTERESTS, LegalBasis.PUBLIC_TASK)
    if choice.choice == "object" and not objectable:
        raise CannotObject(f"'{purpose.slug}' rests on {purpose.legal_basis}; use refuse or withdraw for consent.")
    if (
        choice.choice != "object"
        and purpose.legal_basis != LegalBasis.CONSENT
        and not _lifts_objection(choice, current)
    ):
        raise ConsentNotAsked(f"'{purpose.slug}' rests on {purpose.legal_basis}, so there is nothing to agree to.")


def _check_explicit(request: Request, choice: Choice, purpose: AskedPurpose) -> None:
    """Require an explicit yes; imports keep what was given elsewhere, and policies leave sensitive data out then."""
    if choice.choice == "give" and purpose.explicit_consent and not choice.explicit and request.imported is None:
        raise ExplicitConsentNeeded(
            f"'{purpose.slug}' concerns sensitive data: ask about it on its own, and send explicit: true with the yes."
        )


def _lifts_objection(choice: Choice, current: ConsentEntry | None) -> bool:
    return choice.choice == "give" and current is not None and current["s"] == State.OBJECTED


def _law(request: Request, choice: Choice, subject: Subject) -> jurisdictions.Matched:
    """Return the law that protects this person. Raises GuardianNeeded and AlreadyOfAge for a yes."""
    region = request.region if request.region is not None else subject.region
    age_band = request.age_band or subject.age_band
    law = jurisdictions.match(region, age_band)
    if choice.choice == "give":
        _check_guardian(request, law, age_band)
    return law


def _check_guardian(request: Request, law: jurisdictions.Matched, age_band: str) -> None:
    """Require a guardian for a child's yes, and none for an adult's."""
    if request.guardian is None:
        if law.needs_guardian and age_band in ("minor", "child"):
            raise GuardianNeeded(
                f"Below the age of {law.age_of_consent} a guardian has to agree; name who did and how."
            )
    # What is imported may be of a time when the person, an adult by now, was a child.
    elif age_band == "adult" and request.imported is None:
        raise AlreadyOfAge("The person is an adult by age_band: leave the guardian out, and ask the person.")


def _record(
    request: Request,
    choice: Choice,
    purpose: AskedPurpose,
    current: ConsentEntry | None,
    law: jurisdictions.Matched,
    now: datetime,
) -> dict[str, Any]:
    if choice.choice in REST_ON_A_YES and current is not None:
        return _adjusted(request, choice, purpose, current, now)
    proof = proof_of(
        notice=purpose.notice,
        asked=request.asked,
        rule=law.proof(),
        guardian=request.guardian,
        told_of_conflict=choice.told_of_conflict,
        imported=request.imported,
        max_level=_limit(choice, current),
        register=purpose.register,
        terms=purpose.terms,
    )
    return {
        "subject": str(request.subject_ref),
        "purpose": purpose.slug,
        "state": _new_state(choice, current),
        "explicit": choice.explicit,
        "notice_version": purpose.notice.version,
        "source": request.source,
        "actor": request.actor,
        "recorded_at": now.isoformat(timespec="microseconds"),
        "expires_at": _expiry(request, choice, purpose, law, now),
        "supersedes": current["r"] if current else None,
        **({"scope": choice.scope} if choice.scope else {}),
        **({"proof": proof} if proof else {}),
    }


def _limit(choice: Choice, current: ConsentEntry | None) -> str | None:
    """Return the level limit: a repeated yes, for any reason, does not lift the limit a person has set."""
    if choice.choice != "give":
        return None
    return choice.max_level or (current.get("lv") if current and current["s"] == State.GIVEN else None)


def _adjusted(
    request: Request, choice: Choice, purpose: AskedPurpose, current: ConsentEntry, now: datetime
) -> dict[str, Any]:
    """Return the consent in force with another limit, or a no to what a newer notice adds: all else stays as it was."""
    asked = request.asked.described() if request.asked else {}
    is_kept = choice.choice == "keep"
    limit = current.get("lv") if is_kept else choice.max_level
    declined = purpose.notice.version if is_kept else current.get("d")
    proof = {
        **({"asked": asked} if asked else {}),
        **({"max_level": limit} if limit else {}),
        **({"declined_version": declined} if declined else {}),
        **({"told_of_signal_conflict": True} if current.get("told") else {}),
        **({"kept": True} if is_kept else {}),
        "adjusts": current["r"],
    }
    return {
        "subject": str(request.subject_ref),
        "purpose": choice.purpose,
        "state": str(State.GIVEN),
        "explicit": current["e"],
        "notice_version": current["n"],
        "source": request.source,
        "actor": request.actor,
        "recorded_at": now.isoformat(timespec="microseconds"),
        "expires_at": datetime.fromtimestamp(current["x"], tz=now.tzinfo).isoformat() if current["x"] else None,
        "supersedes": current["r"],
        **({"scope": choice.scope} if choice.scope else {}),
        "proof": proof,
    }


def _expiry(
    request: Request, choice: Choice, purpose: AskedPurpose, law: jurisdictions.Matched, now: datetime
) -> str | None:
    """Return when a yes lapses: after the purpose's time or the law's, and what a guardian said, at majority."""
    if choice.choice != "give" or purpose.legal_basis != LegalBasis.CONSENT:
        return None
    ends = int(now.timestamp()) + min(purpose.valid_for_seconds, law.pack.consent_days * _DAY_S)
    if request.guardian:
        majority = clocks.midnight(date.fromisoformat(request.guardian.adult_on), law.region)
        if majority <= now:
            raise AlreadyOfAge("The day of majority must lie after the choice: ask the person, who is of age.")
        ends = min(ends, int(majority.timestamp()))
    if request.ends_at:
        ends = min(ends, int(request.ends_at.timestamp()))
    return datetime.fromtimestamp(ends, tz=now.tzinfo).isoformat()


def _new_state(choice: Choice, current: ConsentEntry | None) -> str:
    # Saying no to what was allowed before is a withdrawal under any label of the button: data must go.
    if choice.choice == "refuse" and current is not None and current["s"] == State.GIVEN:
        return str(State.WITHDRAWN)
    return str(STATE_OF_CHOICE[choice.choice])


def place_of(record: Mapping[str, Any]) -> str:
    return scopes.key(record["purpose"], record.get("scope", scopes.WHOLE))


def projected(record: Mapping[str, Any]) -> ConsentEntry:
    """Return a purpose's entry in the subject's row: all that decisions know of the record (see ``DataSubject``)."""
    expires = record["expires_at"]
    proof = record.get("proof", {}) if record["state"] == State.GIVEN else {}
    entry: ConsentEntry = {
        "s": record["state"],
        "n": record["notice_version"],
        "x": int(datetime.fromisoformat(expires).timestamp()) if expires else None,
        "e": record["explicit"],
        "r": record["id"],
        "t": int(datetime.fromisoformat(record["recorded_at"]).timestamp()),
        "src": record["source"],
    }
    if proof.get("told_of_signal_conflict"):
        entry["told"] = True
    if "max_level" in proof:
        entry["lv"] = proof["max_level"]
    if "declined_version" in proof:
        entry["d"] = proof["declined_version"]
    return entry


def event_of(
    record: Mapping[str, Any], actor: str, now: datetime, person: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the event of a record. ``person`` is what the save changed of the person (``sealed_people.member``)."""
    return trail.prepare(
        f"consent.{record['state']}",
        record["subject"],
        actor=actor,
        at=now,
        details={"record": record["id"], "purpose": record["purpose"], "digest": record["digest"], **(person or {})},
    )
