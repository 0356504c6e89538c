"""Read consent: the current state, and its history. Never writes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, Value, When

from consent.models import ConsentRecord, DataSubject, Notice, Purpose, PurposeText, current_notice_versions
from consent.register.jurisdictions import match


@dataclass(frozen=True)
class PartState:
    """State of one part of a purpose (``consent.ledger.scopes``), apart from the answer to the whole."""

    state: str
    record: str


@dataclass(frozen=True)
class PurposeState:
    """State of one purpose for one person, as of ``now``."""

    purpose: Purpose
    state: str  # given | refused | withdrawn | expired | renewal_required | never_asked | not_required | objected
    since: datetime | None
    expires_at: datetime | None
    record: str | None
    notice_version: int | None
    explicit: bool
    source: str
    max_level: str | None
    parts: dict[str, PartState]
    ask_again_at: datetime | None = None


def state_now(entry: Mapping[str, Any] | None, *, legal_basis: str, required_notice: int, now_epoch: float) -> str:
    """Return the state that counts at ``now_epoch`` (seconds): expiry and renewal are applied here."""
    if entry is None:
        return "never_asked" if legal_basis == "consent" else "not_required"
    state = str(entry["s"])
    if state != ConsentRecord.State.GIVEN:
        return state
    if legal_basis != "consent":
        return "not_required"
    if entry["x"] is not None and entry["x"] <= now_epoch:
        return "expired"
    return "renewal_required" if entry["n"] < required_notice else state


def ask_again_at(entry: Mapping[str, Any] | None, region: str) -> datetime | None:
    """Return until when a person who said no may not be asked again under the region's law; None: may be asked."""
    since = _moment(entry["t"]) if entry and entry["s"] != ConsentRecord.State.GIVEN else None
    return since + timedelta(days=match(region).pack.reask_days) if since else None


_PEOPLE_BY_STATE = """
SELECT CASE
    WHEN entry->>'s' <> 'given' THEN entry->>'s'
    WHEN (entry->>'x')::bigint <= %(now)s THEN 'expired'
    WHEN (entry->>'n')::bigint < %(required)s THEN 'renewal_required'
    ELSE 'given' END AS state,
  count(*), count(*) FILTER (WHERE (entry->>'e')::boolean)
FROM (SELECT consents->%(purpose)s AS entry FROM consent_datasubject WHERE jsonb_exists(consents, %(purpose)s)) asked
GROUP BY 1
"""


@dataclass(frozen=True)
class People:
    """Number of people in a state, and how many of them answered explicitly."""

    count: int
    explicit: int


def people_by_state(purpose: str, *, now: datetime) -> dict[str, People]:
    """Count people by the state of their answer to a purpose that needs consent. Reads every person's row once."""
    required = current_notice_versions().get(purpose, {"required": 0})["required"]
    values = {"purpose": purpose, "now": int(now.timestamp()), "required": required}
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE_BY_STATE, values)
        return {state: People(count, explicit) for state, count, explicit in cursor.fetchall()}


def subject(ref: UUID) -> DataSubject | None:
    return DataSubject.objects.filter(ref=ref).first()


def states(ref: UUID, *, now: datetime) -> tuple[DataSubject | None, list[PurposeState]]:
    """Return every active purpose with this person's state; an unknown person has never been asked anything."""
    person = subject(ref)
    consents = person.consents if person else {}
    notices = current_notice_versions()
    purposes = Purpose.objects.filter(is_active=True).select_related("parent")
    region = person.region if person else ""
    return person, [_state(purpose, consents, notices, region, now) for purpose in purposes]


def _state(
    purpose: Purpose,
    consents: dict[str, dict[str, Any]],
    notices: dict[str, dict[str, Any]],
    region: str,
    now: datetime,
) -> PurposeState:
    entry = consents.get(purpose.slug)
    prefix = f"{purpose.slug}?"
    required = notices.get(purpose.slug, {"required": 0})["required"]
    state = state_now(entry, legal_basis=purpose.legal_basis, required_notice=required, now_epoch=now.timestamp())
    return PurposeState(
        purpose=purpose,
        state=state,
        since=_moment(entry["t"] if entry else None),
        expires_at=_moment(entry["x"] if entry else None),
        record=entry["r"] if entry else None,
        notice_version=entry["n"] if entry else None,
        explicit=bool(entry and entry["e"]),
        source=entry["src"] if entry else "",
        max_level=entry.get("lv") if entry else None,
        parts={
            place[len(prefix) :]: PartState(part["s"], part["r"])
            for place, part in consents.items()
            if place.startswith(prefix)
        },
        ask_again_at=ask_again_at(entry, region),
    )


def _moment(epoch: int | None) -> datetime | None:
    return datetime.fromtimestamp(epoch, tz=UTC) if epoch else None


@dataclass(frozen=True)
class Described:
    """A purpose in one language; ``locale`` is empty where that is the language asked for."""

    name: str
    benefit: str
    kept_for: str
    locale: str


class Descriptions:
    """Every purpose in one language, in the register's own (English) where there is no translation."""

    def __init__(self, language: str) -> None:
        self.fallback = "" if language == "en" else "en"
        self.texts = {text.purpose_id: text for text in PurposeText.objects.filter(locale=language)}

    def of(self, purpose: Purpose) -> Described:
        text = self.texts.get(purpose.pk)
        if text is None:
            return Described(purpose.name, purpose.benefit, purpose.kept_for, self.fallback)
        return Described(text.name, text.benefit, text.kept_for or purpose.kept_for, "")


def notices_in(language: str, purposes: Iterable[Purpose]) -> dict[int, Notice]:
    """Return the newest notice of each purpose in the language, in English, or in the first there is.

    The ledger chooses in the same order, so what is shown is what a record names.
    """
    rank = Case(When(locale=language, then=Value(0)), When(locale="en", then=Value(1)), default=Value(2))
    order = ("purpose_id", "-version", rank, "locale")
    newest = Notice.objects.filter(purpose__in=purposes).order_by(*order).distinct("purpose_id")
    return {notice.purpose_id: notice for notice in newest}


def history(ref: UUID, *, limit: int = 100) -> list[ConsentRecord]:
    """Return the person's records, newest first."""
    return list(
        ConsentRecord.objects.filter(subject_id=ref)
        .select_related("purpose")
        .order_by("-subject_revision", "-id")[:limit]
    )
