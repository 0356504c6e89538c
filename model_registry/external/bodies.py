"""Bodies and answers of the endpoints of models that run elsewhere."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.utils import timezone
from pydantic import AwareDatetime, ConfigDict, Field, field_validator, model_validator

from common import patterns
from common.http.rest import Body
from common.levels import LevelName
from model_registry.external.endpoints import PATTERN, checked
from model_registry.gates.measured import CLOCKS_DIFFER

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$")]
Purposes = Annotated[list[Annotated[str, Field(pattern=f"^{patterns.SLUG}$")]], Field(max_length=100)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(max_length=2_000, pattern=r"^[^\x00]*$")]
Endpoint = Annotated[str, Field(max_length=400, json_schema_extra={"pattern": PATTERN})]
Count = Annotated[int, Field(ge=0, le=10**9)]


def _one_of(**types: str) -> dict[str, Any]:
    """Return as JSON Schema that one of the members is there, and not null."""
    return {"anyOf": [{"required": [name], "properties": {name: {"type": of}}} for name, of in types.items()]}


class SegmentsStated(Body):
    """How many segments the model has, and how many people are in the smallest."""

    count: Count
    smallest: Count


class Stated(Body):
    """What the operator of an engine states of a version; the release gates read it as evidence that is theirs.

    ``beyond_objectives``: what its monitors find beyond bounds today; empty where they ran and found nothing.
    """

    model_config = ConfigDict(
        json_schema_extra=_one_of(
            segments="object",
            newest_data="string",
            has_fallback="boolean",
            opted_out_served_alike="boolean",
            beyond_objectives="array",
        )
    )

    segments: SegmentsStated | None = None
    newest_data: Annotated[AwareDatetime, Field(strict=False)] | None = None
    has_fallback: bool | None = None
    opted_out_served_alike: bool | None = None
    beyond_objectives: Annotated[list[Literal["inputs", "drift", "service"]], Field(max_length=3)] | None = None

    @field_validator("newest_data")
    @classmethod
    def _is_over(cls, value: datetime | None) -> datetime | None:
        if value is not None and value > timezone.now() + CLOCKS_DIFFER:
            raise ValueError("data cannot be of the future")
        return value

    @model_validator(mode="after")
    def _states_something(self) -> "Stated":
        if not any(value is not None for value in self.__dict__.values()):
            raise ValueError("state segments, newest_data, has_fallback, opted_out_served_alike or beyond_objectives")
        return self


class RegisterBody(Body):
    """Registration of a version: its label, and the file or the address it is known by. A repeat changes nothing.

    ``name`` and ``description`` are of the model, and count where it is new. What is left out of ``purposes`` and
    ``max_level`` is not permitted; no version inherits what another one may do.
    """

    model_config = ConfigDict(json_schema_extra=_one_of(sha256="string", endpoint="string"))

    label: Label
    name: Annotated[str, Field(min_length=1, max_length=120, pattern=patterns.NOT_BLANK)] | None = None
    description: Text = ""
    sha256: Sha256 | None = None
    endpoint: Endpoint | None = None
    purposes: Purposes = []
    max_level: LevelName = "none"
    ndcg_at_10_per_mille: dict[LevelName, Annotated[int, Field(ge=0, le=1000)]] = {}
    states: Stated | None = None

    @field_validator("endpoint")
    @classmethod
    def _endpoint_can_stand(cls, value: str | None) -> str | None:
        return None if value is None else checked(value)

    @model_validator(mode="after")
    def _is_known_by_something(self) -> "RegisterBody":
        if self.sha256 is None and self.endpoint is None:
            raise ValueError("name the version by its sha256, its endpoint, or both")
        return self


class ChangeBody(Body):
    """Change of a draft: what is named is changed, and nothing else."""

    endpoint: Endpoint = ""
    purposes: Purposes = []
    max_level: LevelName = "none"

    @field_validator("endpoint")
    @classmethod
    def _endpoint_can_stand(cls, value: str) -> str:
        return checked(value)


class DocumentBody(Body):
    """A document of a version as the text of a file, in one of the forms of docs/model-documents.md."""

    kind: Literal["card", "datasheet", "dpia", "fria", "runbook"] = "card"
    form: Literal["huggingface", "model-card-toolkit", "cyclonedx", "croissant", "json"] = "json"
    content: Annotated[str, Field(max_length=250_000)]


class GateAnswer(Body):
    gate: str
    stage: Literal["pre-launch", "runtime", "post-deployment"]
    state: str
    why: str


class GatesAnswer(Body):
    state: str
    until: str | None
    lines: list[GateAnswer]


class VersionAnswer(Body):
    """A version. ``id`` is what a decision request names as its model."""

    id: str
    model: str
    version: int
    label: str
    status: str
    sha256: str | None
    endpoint: str | None
    purposes: list[str]
    max_level: LevelName
    registered_at: str
    gates: GatesAnswer


class ModelAnswer(Body):
    slug: str
    name: str
    description: str
    is_trained_here: bool
    versions: list[str]


class PageAnswer(Body):
    next_token: str
    count: int


class ModelsAnswer(Body):
    page: PageAnswer
    models: list[ModelAnswer]


class DocumentAnswer(Body):
    kind: str
    revision: int
    score: int
    missing: list[str]


def document(version: Any, outcome: Any) -> dict[str, Any]:
    """Return a version as its answer."""
    return {
        "id": str(version),
        "model": version.model.slug,
        "version": version.version,
        "label": version.label,
        "status": version.status,
        "sha256": version.artifact_sha256 or None,
        "endpoint": version.endpoint or None,
        "purposes": sorted(purpose.slug for purpose in version.purposes.all()),
        "max_level": version.max_level,
        "registered_at": version.created_at.isoformat(),
        "gates": {
            "state": outcome.state,
            "until": outcome.until.isoformat() if outcome.until else None,
            "lines": [
                {"gate": line.slug, "stage": line.stage, "state": line.finding.state, "why": line.finding.why}
                for line in outcome.lines
            ],
        },
    }
