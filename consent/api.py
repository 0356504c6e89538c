"""Saving choices as a call: body in, answer out. The ordinary view and the bare WSGI endpoint both end here."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from common import patterns
from common.http.problems import InvalidRequest
from common.http.rest import Body, read_document
from common.levels import LevelName
from consent.banner import layouts
from consent.ledger import ledger
from consent.ledger.proof import Asked, Guardian
from consent.pseudonyms import USABLE, checked, ref_of_spelling
from consent.shown_ids import Shown

_ONE: dict[str, Any] = {"pattern": USABLE}
SubjectId = Annotated[str, Field(min_length=1, max_length=256, json_schema_extra=_ONE), AfterValidator(checked)]
SubjectType = Annotated[str, Field(min_length=1, max_length=64, json_schema_extra=_ONE), AfterValidator(checked)]
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DAY = r"^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$"


def _uuid(value: Any) -> UUID:
    """Read the one form that RFC 9562 gives; Python's own reader takes braces, URNs and no hyphens as well."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValueError("must be a UUID")
    return UUID(value)


def _day(value: Any) -> date:
    """Read a day of a calendar; Python's own reader takes weeks as well, and its refusals quote the value."""
    try:
        if re.fullmatch(_DAY, value):
            return date.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    raise ValueError("must be a day between the years 1900 and 2999, written as 2026-01-31")


Uuid = Annotated[UUID, BeforeValidator(_uuid)]
Day = Annotated[date, BeforeValidator(_day), Field(json_schema_extra={"pattern": _DAY})]
KEY_PARAMETER = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Makes a repeat harmless.",
)


class SubjectBody(Body):
    """A data subject, by the business's own id. It is turned into a pseudonym at once and never stored.

    The region of residence says which cell holds the person, where there are several.
    """

    id: SubjectId
    type: SubjectType = "data_subject"
    region: Annotated[str, Field(pattern=f"^{patterns.REGION}$")] | None = None

    def ref(self) -> UUID:
        return ref_of_spelling(self.id, self.type)  # ``checked`` has given both their one spelling

    def shown(self) -> Shown:
        return Shown(self.id, self.type)


class DescribedSubject(SubjectBody):
    """A data subject with region and whether an adult, as rules need to know."""

    age_band: Literal["adult", "minor", "child", "unknown"] | None = None


Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]


class ChoiceBody(Body):
    """A choice about a purpose, or about a part of it: one channel, one recipient, one kind of data.

    ``told_of_conflict``: the person was informed that a signal of the browser (Global Privacy Control) says otherwise,
    and chose all the same. ``max_level`` limits how personal the use may be; ``adjust`` changes only this limit of a
    consent in force, ``keep`` leaves it as it was agreed to and declines what ``notice_version`` adds.
    """

    purpose: Annotated[str, Field(pattern=f"^{patterns.SLUG}$")]
    choice: Literal["give", "refuse", "withdraw", "object", "adjust", "keep"]
    explicit: bool = False
    notice_version: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    supersedes: Uuid | None = None
    channel: Name | None = None
    recipient: Name | None = None
    data_category: Name | None = None
    told_of_conflict: bool = False
    max_level: LevelName | None = None


class SignalsBody(Body):
    """Opt-out and consent signals that were present when the question was put, as they arrived."""

    gpc: bool = False
    gpp: Annotated[str, Field(max_length=8192)] = ""
    tcf: Annotated[str, Field(max_length=8192)] = ""


class AskedBody(Body):
    """Presentation of the question: interface, language, hash of the layout, buttons from first to last.

    Without the language the text was shown in, or a notice in it, no text is proven.
    """

    interface: Annotated[str, Field(pattern=r"^[a-z0-9_.@-]{0,64}$")] = ""
    locale: Annotated[str, Field(pattern=f"^({patterns.LANGUAGE_TAG})?$")] = ""
    layout_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    order: Annotated[list[Annotated[str, Field(pattern=f"^{patterns.WORD}$")]], Field(max_length=8)] = []
    signals: SignalsBody | None = None


class GuardianBody(Body):
    """Guardian who agreed for a child: the guardian's business id, how it was verified, the child's day of majority."""

    id: SubjectId
    method: Annotated[str, Field(pattern=f"^{patterns.METHOD}$")]
    adult_on: Day


class ConsentBody(Body):
    """One save of up to 50 choices of one person; no purpose, and no part of one, is named twice."""

    subject: DescribedSubject
    choices: Annotated[list[ChoiceBody], Field(min_length=1, max_length=50)]
    source: Annotated[str, Field(pattern=f"^{patterns.WORD}$")] = "api"
    asked: AskedBody | None = None
    guardian: GuardianBody | None = None

    @field_validator("choices")
    @classmethod
    def _one_choice_a_part(cls, choices: list[ChoiceBody]) -> list[ChoiceBody]:
        if len({(c.purpose, c.channel, c.recipient, c.data_category) for c in choices}) != len(choices):
            raise ValueError("a purpose, or the same part of it, is named twice")
        return choices


class SubjectOnly(Body):
    subject: SubjectBody


class ReceiptBody(SubjectOnly):
    """Data subject and save of a receipt: the ``subject_revision`` a save answered with."""

    subject_revision: Annotated[int, Field(ge=1, lt=2**53)] | None = None


def save(document: Any, caller: str, environ: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Save a person's choices; 201, or 200 for a repeated Idempotency-Key. Raises the problems of the ledger."""
    body = read_document(ConsentBody, document)
    saved = ledger.save_choices(
        ledger.Request(
            subject_ref=body.subject.ref(),
            choices=[_choice(choice) for choice in body.choices],
            source=body.source,
            actor=caller,
            region=body.subject.region,
            age_band=body.subject.age_band,
            idempotency_key=idempotency_key(environ),
            asked=_asked(body.asked),
            guardian=_guardian(body.guardian),
        )
    )
    return 200 if saved.replayed else 201, saved.document()


def idempotency_key(environ: Mapping[str, Any]) -> str | None:
    key = environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not (0 < len(key) <= 128 and key.isascii() and key.isprintable()):
        raise InvalidRequest("Idempotency-Key must be 1 to 128 printable ASCII characters.")
    return str(key) if key is not None else None


def _asked(body: AskedBody | None) -> Asked | None:
    if body is None:
        return None
    signals = body.signals.model_dump(exclude_defaults=True) if body.signals else {}
    return Asked(
        interface=body.interface,
        locale=body.locale,
        layout_sha256=body.layout_sha256,
        layout_unknown=layouts.is_unknown(body.layout_sha256),
        order=tuple(body.order),
        signals=signals,
    )


def _guardian(body: GuardianBody | None) -> Guardian | None:
    return Guardian.known_as(body.id, body.method, body.adult_on) if body else None


def _choice(body: ChoiceBody) -> ledger.Choice:
    return ledger.Choice(**{name: getattr(body, name) for name in body.model_fields_set})
