"""Read consent: the current state, and its history. Never writes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Protocol
from uuid import UUID

import msgspec
from django.db import connection
from django.db.models import Case, F, Q, Value, When
from msgspec import structs

from consent import pseudonyms
from consent.ledger import scopes
from consent.ledger.projection import ConsentEntry, Consents
from consent.models import (
    NO_NOTICES,
    ConsentRecord,
    DataSubject,
    Notice,
    Party,
    Purpose,
    PurposeText,
    current_notice_versions,
)
from consent.register import terms as agreed_terms
from consent.register.jurisdictions import match
from consent.register.terms import Beyond


class Terms(Protocol):
    """What the state of an answer to a purpose depends on; a bundle's purposes have it, too."""

    @property
    def legal_basis(self) -> str: ...
    @property
    def required_notice(self) -> int: ...
    @property
    def beyond(self) -> Mapping[int, Beyond]: ...


@dataclass(frozen=True)
class PurposeTerms:
    """Terms of a purpose as the registers have them now."""

    legal_basis: str
    required_notice: int
    beyond: Mapping[int, Beyond]  # what the register says beyond older versions of its notice


class NewTerms(msgspec.Struct, frozen=True):
    """What a register says beyond the agreement of a person; they were not asked about it, so it is not permitted.

    ``agreed_level`` is the level that was agreed to, where the register's is higher.
    """

    data_categories: list[str]
    recipients: list[str]
    channels: list[str]
    actions: list[str]
    agreed_level: str | None

    def parts(self, level: str) -> list[str]:
        """Return each in its written form; ``level`` is the register's, and the last are agreed to with the whole."""
        return [
            *(scopes.scope_of(data_category=category) for category in self.data_categories),
            *(scopes.scope_of(recipient=recipient) for recipient in self.recipients),
            *(scopes.scope_of(channel=channel) for channel in self.channels),
            *(f"action={action}" for action in self.actions),
            *([f"level={level}"] if self.agreed_level is not None else []),
        ]


class PartState(msgspec.Struct, frozen=True):
    """State of one part of a purpose (``consent.ledger.scopes``), next to the answer to the whole."""

    state: str
    record: str


class ConsentState(msgspec.Struct, frozen=True, kw_only=True):
    """State of one purpose for one person at one moment."""

    state: str  # given | refused | withdrawn | expired | renewal_required | never_asked | not_required | objected
    since: datetime | None = None
    expires_at: datetime | None = None
    record: str | None = None
    notice_version: int | None = None
    explicit: bool = False
    source: str = ""
    max_level: str | None = None
    parts: dict[str, PartState] = {}
    ask_again_at: datetime | None = None
    beyond: NewTerms | None = None


class PurposeState(ConsentState, frozen=True, kw_only=True):
    """The same with the purpose it is about."""

    purpose: Purpose


def in_force(
    consents: Consents, terms: Mapping[str, Terms], *, region: str, now_epoch: float
) -> dict[str, ConsentState]:
    """Return the state of every purpose that has terms, in one pass over the person's choices."""
    parts: dict[str, dict[str, PartState]] = {}
    for place, entry in consents.items():
        purpose, _, scope = place.partition("?")
        if scope:
            parts.setdefault(purpose, {})[scope] = PartState(entry["s"], entry["r"])
    return {
        slug: _state(consents.get(slug), parts.get(slug, {}), each, region, now_epoch) for slug, each in terms.items()
    }


def _state(
    entry: ConsentEntry | None, parts: dict[str, PartState], terms: Terms, region: str, now_epoch: float
) -> ConsentState:
    state = state_now(entry, legal_basis=terms.legal_basis, required_notice=terms.required_notice, now_epoch=now_epoch)
    if entry is None:
        return ConsentState(state=state, parts=parts)
    return ConsentState(
        state=state,
        since=_moment(entry["t"]),
        expires_at=_moment(entry["x"]),
        record=entry["r"],
        notice_version=entry["n"],
        explicit=entry["e"],
        source=entry["src"],
        max_level=entry.get("lv"),
        parts=parts,
        ask_again_at=ask_again_at(entry, region),
        beyond=_new_terms(_unanswered(terms, entry), parts) if state == "given" else None,
    )


def _unanswered(terms: Terms, entry: ConsentEntry) -> Beyond | None:
    return agreed_terms.unanswered(terms.beyond, entry["n"], entry.get("d"))


def _new_terms(more: Beyond | None, parts: Mapping[str, PartState]) -> NewTerms | None:
    """Return what is new to a person who agreed, without the parts they have answered since."""
    if more is None:
        return None
    data, channels, recipients = (
        sorted(value for value in values if scopes.scope_of(**{dimension: value}) not in parts)
        for dimension, values in (
            ("data_category", more.data_categories),
            ("channel", more.channels),
            ("recipient", more.recipients),
        )
    )
    new = NewTerms(data, recipients, channels, sorted(more.actions), more.max_level)
    return new if any((data, recipients, channels, new.actions, new.agreed_level)) else None


def state_now(entry: ConsentEntry | None, *, legal_basis: str, required_notice: int, now_epoch: float) -> str:
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


def ask_again_at(entry: ConsentEntry | None, region: str) -> datetime | None:
    """Return until when a person who said no may not be asked again under the region's law; None: may be asked."""
    since = _moment(entry["t"]) if entry and entry["s"] != ConsentRecord.State.GIVEN else None
    return since + timedelta(days=match(region).pack.reask_days) if since else None


# OFFSET 0: an answer is taken out of a person's row once, not wherever it is looked at.
_PEOPLE_BY_STATE = """
SELECT state, count(*), count(*) FILTER (WHERE explicit) FROM (
  SELECT CASE
      WHEN entry->>'s' <> 'given' THEN entry->>'s'
      WHEN (entry->>'x')::bigint <= %(now)s THEN 'expired'
      WHEN (entry->>'n')::bigint < %(required)s THEN 'renewal_required'
      ELSE 'given' END AS state,
    (entry->>'e')::boolean AS explicit
  FROM (SELECT consents->%(purpose)s AS entry FROM consent_datasubject OFFSET 0) answers
  WHERE entry IS NOT NULL OFFSET 0
) states
GROUP BY state
"""


@dataclass(frozen=True)
class People:
    """Number of people in a state, and how many of them answered explicitly."""

    count: int
    explicit: int


def people_by_state(purpose: str, *, now: datetime) -> dict[str, People]:
    """Count people by the state of their answer to a purpose that needs consent. Reads every person's row once."""
    required = current_notice_versions().get(purpose, NO_NOTICES)["required"]
    values: dict[str, str | int] = {"purpose": purpose, "now": int(now.timestamp()), "required": required}
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE_BY_STATE, values)
        return {state: People(count, explicit) for state, count, explicit in cursor.fetchall()}


def subject(ref: UUID) -> DataSubject | None:
    """Return the person; None for one who is not known, or was erased."""
    person = DataSubject.objects.filter(ref=ref).first()
    return None if person is not None and person.is_erased else person


def states(ref: UUID, *, now: datetime) -> tuple[DataSubject | None, list[PurposeState]]:
    """Return every active purpose with this person's state; an unknown person has never been asked anything."""
    person = subject(ref)
    notices = current_notice_versions()
    active = agreed_terms.with_terms(Purpose.objects.filter(is_active=True).select_related("parent"))
    purposes = {each.slug: each for each in active}
    found = in_force(
        person.consents if person else {},
        {
            slug: _terms(purpose, notices.get(slug, NO_NOTICES), agreed_terms.frozen_of(purpose))
            for slug, purpose in purposes.items()
        },
        region=person.region if person else "",
        now_epoch=now.timestamp(),
    )
    return person, [PurposeState(purpose=purposes[slug], **structs.asdict(state)) for slug, state in found.items()]


def _terms(purpose: Purpose, notices: Mapping[str, int], frozen: Mapping[int, agreed_terms.Terms]) -> PurposeTerms:
    live = agreed_terms.live(frozen, notices)
    said = agreed_terms.Coverage.read(vars(purpose))
    return PurposeTerms(purpose.legal_basis, notices["required"], agreed_terms.beyond_versions(said, live))


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

    def recipients_of(self, purpose: Purpose) -> list[str]:
        """Return the parties' own names, which need no translation; what is no party is named by its slug."""
        return [self._parties.get(slug, slug.replace("-", " ")) for slug in purpose.recipients]

    @cached_property
    def _parties(self) -> dict[str, str]:
        return dict(Party.objects.values_list("slug", "name"))


def notices_in(language: str, purposes: Iterable[Purpose]) -> dict[int, Notice]:
    """Return the newest notice of each purpose in the language, in English, or in the first there is.

    The ledger chooses in the same order, so what is shown is what a record names.
    """
    rank = Case(When(locale=language, then=Value(0)), When(locale="en", then=Value(1)), default=Value(2))
    order = ("purpose_id", "-version", rank, "locale")
    newest = Notice.objects.filter(purpose__in=purposes).order_by(*order).distinct("purpose_id")
    return {notice.purpose_id: notice for notice in newest}


def erased_up_to(ref: UUID) -> int:
    """Return the revision up to which records are proof of an erased person and nothing else; 0 for none."""
    return DataSubject.objects.filter(ref=ref).values_list("erased_revision", flat=True).first() or 0


def history(ref: UUID, *, limit: int = 100) -> list[ConsentRecord]:
    """Return the person's records, newest first; of before an erasure none, which are proof and for no other use."""
    is_alive = Q(subject__erased_revision=None) | Q(subject_revision__gt=F("subject__erased_revision"))
    return list(
        ConsentRecord.objects.filter(is_alive, subject_id=ref)
        .select_related("purpose")
        .order_by("-subject_revision", "-id")[:limit]
    )


def known_ref(business_id: str) -> UUID:
    """Return the pseudonym of an id, or of the id as typed where only that is known (docs/decisions/0030)."""
    ref, typed = pseudonyms.subject_ref(business_id), pseudonyms.ref_as_typed(business_id)
    known = set(DataSubject.objects.filter(ref__in={ref, typed}).values_list("ref", flat=True))
    return typed if ref not in known and typed in known else ref
