"""Requests of the AuthZEN endpoints, read strictly and translated into questions.

Members that are not named here are ignored, as the specification demands. A named member without a value that can mean
something (empty, blank, outside its closed vocabulary or form) is refused: taken as absent it would widen the question.
Every fault is a ValueError that names the member and its form, and quotes nothing.
"""

from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings

from common import patterns
from common.levels import LevelName
from consent import signals as consent_signals
from consent.pseudonyms import UNUSABLE, checked, normal, ref_of_spelling
from policies.decisions.questions import USUAL_SUBJECT_TYPE, EntityQuestion, Question
from policies.endpoints.authzen.faults import converted

ID_CHARACTERS = 512
Text = Annotated[str, msgspec.Meta(max_length=ID_CHARACTERS, pattern=patterns.NOT_BLANK)]
_Slug = Text | None
_Region = Annotated[str, msgspec.Meta(pattern=rf"\A{patterns.REGION}\Z")] | None
_ProcessingRegion = Annotated[str, msgspec.Meta(pattern=rf"\A{patterns.PROCESSING_REGION}\Z")] | None
_AgeBand = Literal["adult", "minor", "child", "unknown"] | None
_Channel = Literal["web", "app", "email", "sms", "push", "post", "phone", "store"] | None


# Lists are refused above these lengths before their members are looked at: a batch shares one list among 1,000 items.
MAX_CATEGORIES = 64
_MAX_PURPOSES = 24  # the TCF has no more
MAX_PROPERTIES = 100

Properties = Annotated[dict[str, Any], msgspec.Meta(max_length=MAX_PROPERTIES)] | None

# IAB strings as they arrived; what is longer, or cannot be read, counts as a no (``consent.signals``).
_SignalText = Annotated[str, msgspec.Meta(max_length=65_536)] | None


def _one_person(business_id: str) -> str:
    try:
        return checked(business_id)
    except ValueError:
        raise ValueError(f"an id {UNUSABLE}") from None


class _SubjectProperties(msgspec.Struct):
    region: _Region = None
    age_band: _AgeBand = None


class _Subject(msgspec.Struct):
    type: Text
    id: Text
    properties: _SubjectProperties | None = None

    def __post_init__(self) -> None:
        if self.id:
            self.id = _one_person(self.id)


class _ActionProperties(msgspec.Struct):
    purpose: _Slug = None
    requested_level: LevelName | None = None
    recipient: _Slug = None


class _Action(msgspec.Struct):
    name: Text
    properties: _ActionProperties | None = None


class _ResourceProperties(msgspec.Struct):
    data_categories: Annotated[list[Text], msgspec.Meta(max_length=MAX_CATEGORIES)] | None = None
    model: _Slug = None


class _Resource(msgspec.Struct):
    type: Text
    id: Text
    properties: _ResourceProperties | None = None


_Purposes = Annotated[
    list[Annotated[int, msgspec.Meta(ge=1, le=_MAX_PURPOSES)]], msgspec.Meta(max_length=_MAX_PURPOSES)
]


class _Signals(msgspec.Struct):
    gpc: bool = False
    gpp_opt_out: bool = False
    tcf_purposes: _Purposes | None = None
    gpp: _SignalText = None
    tcf: _SignalText = None


class _Context(msgspec.Struct):
    processing_region: _ProcessingRegion = None
    channel: _Channel = None
    signals: _Signals | None = None
    min_revision: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] = 0


class _Request(msgspec.Struct):
    """An evaluation request; members it does not name are ignored, as the specification demands."""

    subject: _Subject
    action: _Action
    resource: _Resource
    context: _Context | None = None


_SUBJECT, _ACTION, _RESOURCE = _SubjectProperties(), _ActionProperties(), _ResourceProperties()
_CONTEXT, _NO_SIGNALS = _Context(), consent_signals.NO_SIGNALS


def _read_signals(sent: _Signals) -> consent_signals.Signals:
    return consent_signals.read(msgspec.structs.asdict(sent))


def question_of(document: dict[str, Any]) -> Question:
    """Read an AuthZEN request. Raises ValueError naming the member that is missing or of a wrong type."""
    request = converted(document, _Request)
    subject = request.subject.properties or _SUBJECT
    asked = request.action.properties or _ACTION
    resource = request.resource.properties or _RESOURCE
    context = request.context or _CONTEXT
    signals = _NO_SIGNALS if context.signals is None else _read_signals(context.signals)
    return Question(
        # Checked, the id has its one spelling.
        subject_ref=ref_of_spelling(request.subject.id, normal(request.subject.type)),
        is_usual_type=request.subject.type == USUAL_SUBJECT_TYPE,
        action=request.action.name,
        purpose=asked.purpose or "",
        requested_level=asked.requested_level or "individual",
        data_categories=tuple(resource.data_categories or ()),
        model=resource.model,
        region=subject.region,
        age_band=subject.age_band,
        processing_region=context.processing_region or settings.PROCESSING_REGION,
        recipient=asked.recipient,
        channel=context.channel,
        gpc=signals.gpc,
        gpp_opt_out=signals.gpp_opt_out,
        tcf_present=signals.tcf_present,
        tcf_purposes=signals.tcf_purposes,
        min_revision=context.min_revision,
    )


class Entity(msgspec.Struct):
    type: Text
    id: Text
    properties: Properties = None


class EntityType(msgspec.Struct):
    """Type of an entity that is searched for: an id is ignored."""

    type: Text
    properties: Properties = None


class Named(msgspec.Struct):
    name: Text
    properties: Properties = None


class _EntityRequest(msgspec.Struct):
    subject: Entity
    action: Named
    resource: Entity
    context: Properties = None


def entity_question_of(document: dict[str, Any]) -> EntityQuestion:
    """Read a request that another package than consent answers. Raises ValueError like ``question_of``."""
    request = converted(document, _EntityRequest)
    return entity_question(request.subject, request.action, request.resource)


def resource_type(document: dict[str, Any]) -> str | None:
    """Return the type of resource a request names, which says which package answers; None where it names none."""
    resource = document.get("resource")
    kind = resource.get("type") if isinstance(resource, dict) else None
    return kind if isinstance(kind, str) else None


def entity_question(subject: Entity, action: Named, resource: Entity) -> EntityQuestion:
    return EntityQuestion(
        subject_type=subject.type,
        subject_id=subject.id,
        subject_properties=subject.properties or {},
        action=action.name,
        action_properties=action.properties or {},
        resource_type=resource.type,
        resource_id=resource.id,
        resource_properties=resource.properties or {},
    )
