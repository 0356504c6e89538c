"""Value types of saving: a choice, a save of several, and the state they are decided by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from common.canonical import digest_of, sha256
from consent.ledger import scopes
from consent.ledger.projection import ConsentEntry
from consent.ledger.proof import Asked, Guardian, ServedNotice
from consent.models import ConsentRecord

State = ConsentRecord.State
STATE_OF_CHOICE = {
    "give": State.GIVEN,
    "refuse": State.REFUSED,
    "withdraw": State.WITHDRAWN,
    "object": State.OBJECTED,
    # A consent that stays as it was given, with another limit on how personal its use may be.
    "adjust": State.GIVEN,
    # A consent that stays as it was given, with a no to what a newer notice adds and no question can separate.
    "keep": State.GIVEN,
}
CHOICES = tuple(STATE_OF_CHOICE)
REST_ON_A_YES = ("adjust", "keep")
NOT_GIVEN = object()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A person's choice for one purpose. ``supersedes`` names the record the person saw, None for none yet."""

    purpose: str
    choice: str
    explicit: bool = False
    notice_version: int | None = None
    supersedes: object = NOT_GIVEN
    channel: str | None = None
    recipient: str | None = None
    data_category: str | None = None
    told_of_conflict: bool = False  # the person knew that a signal of the browser says otherwise
    max_level: str | None = None  # how personal the use may be, at most; None keeps a limit, and ``adjust`` lifts it

    @property
    def scope(self) -> str:
        return scopes.scope_of(channel=self.channel, data_category=self.data_category, recipient=self.recipient)

    @property
    def place(self) -> str:
        return scopes.key(self.purpose, self.scope)

    def described(self) -> list[Any]:
        """Return everything of the choice; to name no record at all is another thing than to name none yet."""
        supersedes = "" if self.supersedes is NOT_GIVEN else identifier_text(self.supersedes)
        found = [self.purpose, self.choice, self.explicit, self.notice_version, supersedes]
        return [*found, self.scope, self.told_of_conflict, self.max_level]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One save: the person, the choices, and how they came in."""

    subject_ref: UUID | str
    choices: Sequence[Choice]
    source: str
    actor: str
    region: str | None = None
    age_band: str | None = None
    idempotency_key: str | None = None
    asked: Asked | None = None
    guardian: Guardian | None = None
    imported: Mapping[str, Any] | None = None
    ends_at: datetime | None = None  # where the choice was made with an end of its own: never later than ours

    def digest(self) -> bytes:
        """Return the digest of everything a caller sent: another content under the same key is another request."""
        return digest_of(
            {
                "subject": str(self.subject_ref),
                "region": self.region,
                "age_band": self.age_band,
                "choices": [choice.described() for choice in self.choices],
                "source": self.source,
                "asked": {"locale": self.asked.locale, **self.asked.described()} if self.asked else None,
                "guardian": vars(self.guardian) if self.guardian else None,
                "imported": dict(self.imported) if self.imported else None,
                "ends_at": self.ends_at.isoformat() if self.ends_at else None,
            }
        )

    def stored_key(self) -> bytes | None:
        if self.idempotency_key is None:
            return None
        return sha256(f"{self.actor}\x00{self.idempotency_key}".encode())


@dataclass(frozen=True)
class Saved:
    """Result of a save: the subject's new revision and the records written; ``replayed`` for a repeated key."""

    subject_revision: int
    records: list[dict[str, Any]]
    replayed: bool = False
    warnings: list[str] = field(default_factory=list)  # what of the request did not count

    def document(self) -> dict[str, Any]:
        """Return the answer to the caller."""
        warned = {"warnings": self.warnings} if self.warnings else {}
        return {"subject_revision": self.subject_revision, "records": self.records, **warned}


@dataclass
class Subject:
    """A person's row of the projection as it stands."""

    revision: int = 0
    consents: dict[str, ConsentEntry] = field(default_factory=dict)
    last_digest: bytes | None = None
    region: str = ""
    age_band: str = "unknown"
    erased_revision: int | None = None
    erased_at: datetime | None = None
    ended: Mapping[str, str] = field(default_factory=dict)  # of an erased person: the last record of each place

    @property
    def is_erased(self) -> bool:
        return self.erased_revision is not None and self.erased_revision == self.revision


@dataclass(frozen=True)
class AskedPurpose:
    """An active purpose with what one question about it needs."""

    slug: str
    legal_basis: str
    valid_for_seconds: int
    newest_notice: int
    channels: list[str]
    recipients: list[str]
    data_categories: list[str]
    explicit_consent: bool
    notice: ServedNotice  # the one the choice names, or the newest, in the language stated where there is one
    register: str = ""  # digest of the register's snapshot in force; empty for what was asked elsewhere
    terms: str = ""  # digest of the terms of the notice's version; empty where none are known


def identifier_text(value: Any) -> str | None:
    return str(value) if isinstance(value, UUID) else None
