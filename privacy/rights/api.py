"""Bodies and answers of the requests API. People's ids travel in bodies, never in URLs."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from common import patterns
from common.http.rest import Body
from consent.api import Day, SubjectBody, Uuid
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest
from privacy.rights.requests.states import Move, State

RightName = Literal[
    "access", "portability", "rectification", "erasure", "restriction", "objection", "opt_out", "human_review",
    "complaint", "majority", "appeal",
]  # fmt: skip
StateName = Literal[
    "received", "identity_asked", "accepted", "clarification_asked", "in_progress", "blocked", "verifying", "done",
    "refused", "cancelled",
]  # fmt: skip
assert set(RightName.__args__) == {right.value for right in Right}  # type: ignore[attr-defined]  # noqa: S101
assert set(StateName.__args__) == {state.value for state in State}  # type: ignore[attr-defined]  # noqa: S101


class CorrectionBody(Body):
    """What is right instead of what is stored: region of residence, age band. What is left out stays."""

    region: Annotated[str, Field(pattern=f"^{patterns.REGION}$")] | None = None
    age_band: Literal["adult", "minor", "child"] | None = None

    def asked(self) -> dict[str, str]:
        return {name: value for name, value in self.model_dump().items() if value is not None}


# As ``OpenBody`` checks it: who asks for themselves has no mandate.
_MANDATE_IS_ANOTHERS: dict[str, Any] = {
    "anyOf": [
        {"properties": {"acting": {"enum": ["guardian", "agent"]}}, "required": ["acting"]},
        {"properties": {"mandate_until": {"type": "null"}}},
    ]
}


class OpenBody(Body):
    """A request of a person, whose identity the calling service vouches for.

    ``statement``: what the person wrote; ``correction``: of a rectification, what is wrong and what is right. Both are
    kept encrypted until the request closes.
    ``appeals``: the refused request that an appeal is about. ``acting``: for whom the caller's user asks; a guardian or
    an agent is looked at by an officer, and ``mandate_until`` is the last day of these: nobody else has one.
    """

    model_config = ConfigDict(json_schema_extra=_MANDATE_IS_ANOTHERS)

    subject: SubjectBody
    right: RightName
    statement: Annotated[str, Field(max_length=4_000)] = ""
    correction: CorrectionBody | None = None
    appeals: Uuid | None = None
    acting: Literal["self", "guardian", "agent"] = "self"
    mandate_until: Day | None = None

    @model_validator(mode="after")
    def _mandate_is_an_agents(self) -> "OpenBody":
        if self.mandate_until is not None and self.acting == "self":
            raise ValueError("mandate_until is for guardians and agents")
        return self


class PersonBody(Body):
    subject: SubjectBody


class CancelBody(PersonBody):
    """The person's withdrawal of their own request."""

    reason: Annotated[str, Field(max_length=1_000)] = ""


class KeptPart(Body):
    """What stays after an erasure: how many rows of which store, on which ground, and until when."""

    store: str
    rows: int
    ground: str
    until: date


class RequestAnswer(Body):
    """One request. ``due_on``: the last day to answer; null while the law lets the clock stand still.

    ``has_number``: whether the law gives a number; if not, ``due_on`` is the controller's own time. Of an erasure that
    is done, ``erased`` says how many rows of each store went, ``kept`` what stays, ``models`` what is trained anew.
    """

    id: UUID
    right: RightName
    state: StateName
    law: str
    section: str
    received_at: datetime
    received_on: date
    due_on: date | None
    has_number: bool
    latest_on: date | None
    confirm_by: date | None
    extended_on: date | None
    closed_at: datetime | None
    reason: str
    erased: dict[str, int]
    kept: list[KeptPart]
    models: list[str]


class RequestsAnswer(Body):
    requests: list[RequestAnswer]


class DownloadAnswer(Body):
    """Single-use address of the answer's files, and until when it opens them."""

    url: str
    expires_at: datetime


def document(request: RightsRequest, section: str) -> dict[str, Any]:
    """Return a request as the API answers it; the reason is that of the last step that has one."""
    steps = list(request.steps.all())
    reason = next((step.reason for step in reversed(steps) if step.reason), "")
    said: dict[str, Any] = next((step.details for step in steps if step.move == Move.COMPLETE), {})
    return {
        "id": str(request.pk),
        "right": request.right,
        "state": request.state,
        "law": request.law,
        "section": section,
        "received_at": request.received_at,
        "received_on": request.received_on,
        "due_on": request.due_on,
        "has_number": request.has_number,
        "latest_on": request.latest_on,
        "confirm_by": request.confirm_by,
        "extended_on": request.extended_on,
        "closed_at": request.closed_at,
        "reason": reason,
        "erased": said.get("erased", {}),
        "kept": [{name: part[name] for name in ("store", "rows", "ground", "until")} for part in said.get("kept", ())],
        "models": said.get("models", []),
    }
