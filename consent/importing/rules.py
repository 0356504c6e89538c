"""Decide about one row: the record it becomes, or why it is refused (the rule stands in ``consent.importing``)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import combinations
from typing import Any

from common import languages
from common.http.problems import Problem
from common.identifiers import milliseconds_of, uuid7_of
from consent.importing.reading import ImportRow, Refused
from consent.ledger import scopes
from consent.ledger.choices import AskedPurpose, Choice, Request, Subject
from consent.ledger.projection import ConsentEntry, Consents
from consent.ledger.proof import NO_NOTICE, Asked, Guardian, ServedNotice
from consent.ledger.records import checked_purpose, next_record
from consent.models import Notice, NoticeTerms, Purpose
from consent.problems import SubjectErased

_NO = ("refused", "withdrawn", "objected")
_SAYS_NO = ("refuse", "withdraw", "object")
_TAG_BITS = 40
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Source file of the rows."""

    system: str
    file_sha256: str

    @property
    def actor(self) -> str:
        return f"import:{self.system}"

    def record_id(self, row: ImportRow, line: int) -> str:
        """Return the identifier of the record a line becomes: the same whenever the line is read.

        Identifiers put current choices in order of time (``consent.ledger.scopes``), so it begins with
        the moment of the choice. A no counts as of the end of its millisecond: it wins against a yes of the same.
        """
        payload = (line << _TAG_BITS) | self._tag
        return uuid7_of(_milliseconds(row) + (row.choice in _SAYS_NO), payload)

    def wrote(self, record_id: str) -> bool:
        return int(record_id[-10:], 16) == self._tag

    @cached_property
    def _tag(self) -> int:
        return int(self.file_sha256[:10], 16)


@dataclass
class Register:
    """Purposes in use and published notices, as of one batch."""

    purposes: dict[str, AskedPurpose]
    notices: dict[tuple[str, int, str], ServedNotice]
    terms: dict[tuple[str, int], str]  # their SHA-256, by purpose and version
    _asked: dict[tuple[str, int | None, str | None], AskedPurpose | None] = field(default_factory=dict)

    def asked(self, row: ImportRow) -> AskedPurpose | None:
        """Return the purpose with the notice the line names, and none where it names none: nothing is guessed."""
        key = (row.purpose, row.notice_version, row.locale)
        if key not in self._asked:
            self._asked[key] = self._with_notice(*key)
        return self._asked[key]

    def is_proven(self, row: ImportRow) -> bool:
        if row.notice_version is None or row.locale is None or not (row.source or row.interface):
            return False
        return self._shown(row.purpose, row.notice_version, row.locale) is not None

    def _shown(self, slug: str, version: int, locale: str | None) -> ServedNotice | None:
        """Return the text in the language, or in the nearest that RFC 4647 finds."""
        tags = languages.lookup(locale) if locale else []
        return next((found for tag in tags if (found := self.notices.get((slug, version, tag)))), None)

    def _with_notice(self, slug: str, version: int | None, locale: str | None) -> AskedPurpose | None:
        purpose = self.purposes.get(slug)
        if purpose is None or version is None:
            return purpose
        notice = self._shown(slug, version, locale) or ServedNotice(version, "", "")
        return AskedPurpose(**{**vars(purpose), "notice": notice, "terms": self.terms.get((slug, version), "")})


def current_register() -> Register:
    """Read purposes, notices and their terms; three statements."""
    newest: dict[str, int] = {}
    notices = {}
    published = Notice.objects.order_by().values_list("purpose__slug", "version", "locale", "text_sha256")
    for slug, version, locale, sha256_hex in published:
        newest[slug] = max(newest.get(slug, 0), version)
        notices[slug, version, locale.lower()] = ServedNotice(version, locale, sha256_hex)
    purposes = {
        purpose.slug: AskedPurpose(
            slug=purpose.slug,
            legal_basis=purpose.legal_basis,
            valid_for_seconds=int(purpose.consent_valid_for.total_seconds()),
            newest_notice=newest.get(purpose.slug, 0),
            channels=purpose.channels,
            recipients=purpose.recipients,
            data_categories=purpose.data_categories,
            explicit_consent=purpose.explicit_consent,
            notice=NO_NOTICE,
        )
        for purpose in Purpose.objects.filter(is_active=True)
    }
    frozen = NoticeTerms.objects.order_by().values_list("purpose", "version", "sha256")
    return Register(purposes, notices, {(slug, version): sha256_hex for slug, version, sha256_hex in frozen})


def record_of(
    row: ImportRow, line: int, ref: str, person: Subject, *, register: Register, origin: Origin, now: datetime
) -> dict[str, Any]:
    """Return the record that ``row`` becomes after what stands in ``person``. Raises Refused."""
    if row.recorded_at > now:
        raise Refused("in_the_future", "'recorded_at' lies in the future.")
    if row.guardian and row.age_band == "adult" and row.choice == "give":
        raise Refused("already_of_age", "The line names a guardian and says that the person is an adult.")
    choice = Choice(
        purpose=row.purpose,
        choice=row.choice,
        explicit=row.explicit,
        notice_version=row.notice_version,
        channel=row.channel,
        recipient=row.recipient,
        data_category=row.data_category,
    )
    proven = register.is_proven(row)
    try:
        _check_erased(row, person, proven=proven)
        purpose = checked_purpose(choice, register.asked(row))
        _check_order(row, choice, person.consents, origin=origin, proven=proven)
        return next_record(
            _request(row, line, ref, person, origin, proven=proven),
            choice,
            purpose,
            person,
            identifier=origin.record_id(row, line),
            previous=person.last_digest,
            now=row.recorded_at,
        )
    except Problem as problem:
        raise Refused(problem.code, problem.detail) from None


def _check_erased(row: ImportRow, person: Subject, *, proven: bool) -> None:
    """Refuse what an erasure took, and all else about the erased but a later, proven yes."""
    if person.erased_at is not None and row.recorded_at <= person.erased_at:
        raise Refused(SubjectErased.code, "The person was erased after this choice; nothing of it is taken in again.")
    if person.is_erased and not (row.choice == "give" and proven):
        raise Refused(SubjectErased.code, "The person was erased, and nothing proves that they agreed anew since.")


def _check_order(row: ImportRow, choice: Choice, consents: Consents, *, origin: Origin, proven: bool) -> None:
    """Keep the newer choice, and a no against any yes that is not both newer and proven."""
    gives = row.choice == "give"
    moment = _milliseconds(row)
    own = choice.place
    for place in _broader(choice) if gives and own != choice.purpose else (own,):
        stored = consents.get(place)
        if stored is None:
            continue
        is_no = stored["s"] in _NO
        if place != own and not is_no:
            continue
        since = moment_of(stored)
        if since > moment or (since == moment and (gives or is_no)):
            raise _too_late(origin.wrote(stored["r"]))
        if gives and is_no and not proven:
            raise Refused("unproven_yes", "The person said no, and nothing proves that this yes came later.")


def _too_late(from_this_file: bool) -> Refused:
    if from_this_file:
        return Refused(
            "out_of_order", "An earlier line of this file holds a choice about the same that is as new or newer."
        )
    return Refused("newer_choice_stored", "A choice about the same is stored already that is as new or newer.")


def _broader(choice: Choice) -> Iterator[str]:
    """Return the place of a choice and the places of every broader part of its purpose, the whole last."""
    named = scopes.parts(choice.scope)
    for size in range(len(named), -1, -1):
        for names in combinations(named, size):
            yield scopes.key(choice.purpose, scopes.scope_of(**{name: named[name] for name in names}))


def moment_of(entry: ConsentEntry) -> int:
    """Return when a current choice was made, in milliseconds, never too early."""
    return max(milliseconds_of(entry["r"]), int(entry["t"]) * 1000)


def _milliseconds(row: ImportRow) -> int:
    return (row.recorded_at - _EPOCH) // _MILLISECOND


def _request(row: ImportRow, line: int, ref: str, person: Subject, origin: Origin, *, proven: bool) -> Request:
    described = row.interface or row.layout_sha256 or row.gpc
    return Request(
        subject_ref=ref,
        choices=(),
        source=row.source or "import",
        actor=origin.actor,
        # What is known of the person stands; the line only completes it.
        region=person.region or row.region or "",
        age_band=person.age_band if person.age_band != "unknown" else row.age_band,
        asked=Asked(
            interface=row.interface or "",
            locale=row.locale or "",
            layout_sha256=row.layout_sha256 or "",
            layout_unknown=bool(row.layout_sha256),  # another system showed it
            signals={"gpc": True} if row.gpc else None,
        )
        if described
        else None,
        guardian=Guardian.known_as(*row.guardian) if row.guardian else None,
        imported={"system": origin.system, "proven": proven, "line": line, "file_sha256": origin.file_sha256},
        ends_at=row.expires_at,
    )
