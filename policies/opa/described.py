"""The endpoints for OPA servers as the OpenAPI document describes them."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from common.http.conditional import CONDITIONAL, NOT_MODIFIED
from policies.opa.reported_decisions import MAX_ENTRIES

GZIP = "application/gzip"
# By this type OPA knows that it may ask again at once, and be kept waiting.
LONG_POLLING = "application/vnd.openpolicyagent.bundles"
_PROBLEMS = {status: OpenApiResponse(description="problem+json") for status in (401, 403, 503)}
_FILE_PROBLEMS = {404: OpenApiResponse(description="problem+json"), **_PROBLEMS}
_REPORT_PROBLEMS = {status: OpenApiResponse(description="problem+json") for status in (400, 401, 403, 413, 429, 503)}
_TAR = OpenApiResponse(OpenApiTypes.BINARY, description="A gzip of a tar file, as OPA reads it")
_PREFER = OpenApiParameter(
    "Prefer",
    {"type": "string", "pattern": r"^modes=[a-z,]{1,32}(;wait=[0-9]{1,4})?$"},
    OpenApiParameter.HEADER,
    description="`wait=N`: wait so many seconds for another revision than the one that is held.",
)
_NAME = {"type": "string", "pattern": r"^[A-Za-z0-9._-]{1,64}$"}
_PART: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {
        "active_revision": {"type": ["string", "null"]},
        "last_successful_activation": {"type": ["string", "null"], "description": "A moment as RFC 3339 writes it"},
        "code": {"type": ["string", "null"]},
        "message": {"type": ["string", "null"]},
    },
}
_STATUS: dict[str, Any] = {
    "type": "object",
    "description": "OPA's status; what is not named here is ignored.",
    "required": ["labels"],
    "properties": {
        "labels": {
            "type": "object",
            "description": "The server's name is its label `instance`, else its `id`.",
            "anyOf": [
                {"required": ["instance"], "properties": {"instance": _NAME}},
                {
                    "required": ["id"],
                    "properties": {"id": _NAME, "instance": {"enum": [None, False, 0, "", [], {}]}},
                },
            ],
        },
        "bundles": {"type": ["object", "null"], "additionalProperties": _PART},
        "discovery": _PART,
    },
}
_ENTRIES: dict[str, Any] = {
    "type": "array",
    "items": {},
    "description": f"At most {MAX_ENTRIES:,} entries of OPA's decision log: `decision_id`, `timestamp`, `labels`, "
    "`path`, `bundles`, `input`, `result`.",
}
_NOTHING = {"type": "object", "maxProperties": 0}
_STORED = {
    "type": "object",
    "required": ["stored", "refused"],
    "properties": {"stored": {"type": "integer", "minimum": 0}, "refused": {"type": "integer", "minimum": 0}},
}
revision = extend_schema(
    parameters=[*CONDITIONAL, _PREFER],
    responses={(200, LONG_POLLING): _TAR, (200, GZIP): _TAR, **NOT_MODIFIED, **_FILE_PROBLEMS},
)
discovery = extend_schema(parameters=CONDITIONAL, responses={(200, GZIP): _TAR, **NOT_MODIFIED, **_FILE_PROBLEMS})
status = extend_schema(
    operation_id="opa_report_status",
    request={"application/json": _STATUS},
    responses={200: _NOTHING, **_REPORT_PROBLEMS},
)
decisions = extend_schema(
    operation_id="opa_report_decisions",
    request={"application/json": _ENTRIES},
    responses={200: _STORED, **_REPORT_PROBLEMS},
)
