"""Stores of the consent and privacy layers: the person, their choices, receipts' texts, links, deletions, requests."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from consent.models import ConsentRecord, DataSubject, SubjectLink
from privacy.models import ContractEnd, Disposal
from privacy.rights.answers.stores import Description, Member, Row
from privacy.rights.models import RightsRequest

_TEXT, _MOMENT, _FLAG, _OBJECT = "string", "date-time", "boolean", "object"


@dataclass(frozen=True)
class TableStore:
    """Store that is a query: its members are the columns that are named, and no others."""

    description: Description
    query: Callable[[UUID], QuerySet[Any]]

    def rows(self, ref: UUID) -> Iterable[Row]:
        return list(self.query(ref).values(*(member.name for member in self.description.members)))

    def count(self, ref: UUID) -> int:
        return self.query(ref).count()


def _members(*named: tuple[str, str, str]) -> tuple[Member, ...]:
    return tuple(Member(*each) for each in named)


PERSON = TableStore(
    Description(
        name="person",
        title="What is known about you",
        members=_members(
            ("ref", _TEXT, "pseudonym"),
            ("region", _TEXT, "region of residence"),
            ("age_band", _TEXT, "age group"),
            ("restricted", _FLAG, "use restricted"),
            ("held", _FLAG, "kept for a claim"),
            ("limits", _OBJECT, "the same for single purposes"),
            ("gpc_since", _MOMENT, "opted out by signal since"),
            ("created_at", _MOMENT, "first seen"),
            ("updated_at", _MOMENT, "last changed"),
        ),
        origin="from you, or from the service you use",
        kept="while a choice of yours is in force, and for the proof of it",
        is_provided=True,
    ),
    lambda ref: DataSubject.objects.filter(ref=ref),
)
CONSENTS = TableStore(
    Description(
        name="consents",
        title="Your choices",
        members=_members(
            ("id", _TEXT, "record"),
            ("purpose_id", _TEXT, "purpose"),
            ("scope", _TEXT, "part of the purpose"),
            ("state", _TEXT, "choice"),
            ("explicit", _FLAG, "explicit"),
            ("notice_version", "integer", "version of the notice"),
            ("source", _TEXT, "where you chose"),
            ("actor", _TEXT, "who recorded it"),
            ("recorded_at", _MOMENT, "when"),
            ("expires_at", _MOMENT, "until"),
            ("proof", _OBJECT, "what was shown and how it was asked"),
        ),
        origin="from you",
        kept="as proof of your choice, until claims about it have lapsed",
        is_provided=True,
    ),
    lambda ref: ConsentRecord.objects.filter(subject_id=ref).order_by("recorded_at", "id"),
)
LINKS = TableStore(
    Description(
        name="dashboard_links",
        title="Links to your privacy page",
        members=_members(
            ("issued_by", _TEXT, "issued by"),
            ("issued_at", _MOMENT, "issued"),
            ("expires_at", _MOMENT, "valid until"),
            ("opened_at", _MOMENT, "opened"),
            ("last_used_at", _MOMENT, "last used"),
            ("revoked_at", _MOMENT, "taken back"),
        ),
        origin="made when you asked for a link or signed in",
        kept="one day after it has ended",
        is_provided=False,
    ),
    lambda ref: SubjectLink.objects.filter(subject_ref=ref).order_by("issued_at"),
)
DELETIONS = TableStore(
    Description(
        name="deletions",
        title="Deletions of your data",
        members=_members(
            ("id", _TEXT, "deletion"),
            ("reason", _TEXT, "why"),
            ("purpose_id", _TEXT, "purpose"),
            ("removed", _OBJECT, "rows removed by store"),
            ("queued_at", _MOMENT, "asked for"),
            ("finished_at", _MOMENT, "done"),
        ),
        origin="made when you turned something off, or a retention period ended",
        kept="as proof of the deletion",
        is_provided=False,
    ),
    lambda ref: Disposal.objects.filter(subject_ref=ref).order_by("queued_at"),
)
CONTRACTS = TableStore(
    Description(
        name="contracts",
        title="End of your contract",
        members=_members(("ended_at", _MOMENT, "ended")),
        origin="from the systems of the business",
        kept="until the data has gone whose time counts from it",
        is_provided=False,
    ),
    lambda ref: ContractEnd.objects.filter(subject_ref=ref).order_by("ended_at"),
)
REQUESTS = TableStore(
    Description(
        name="requests",
        title="Your requests",
        members=_members(
            ("id", _TEXT, "request"),
            ("right", _TEXT, "right"),
            ("law", _TEXT, "law"),
            ("door", _TEXT, "where you asked"),
            ("received_at", _MOMENT, "received"),
            ("due_on", "date", "answered by"),
            ("closed_at", _MOMENT, "closed"),
        ),
        origin="from your requests",
        kept="as proof of how they were answered",
        is_provided=False,
    ),
    lambda ref: RightsRequest.objects.filter(subject_ref=ref).order_by("id"),
)
