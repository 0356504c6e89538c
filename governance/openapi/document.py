"""Post-processing of the OpenAPI document: what the views cannot say, and the AuthZEN endpoints."""

from copy import deepcopy
from typing import Any

from common.http.problems import CONTENT_TYPE
from governance.openapi import authzen, native

_SCHEMAS: dict[str, Any] = {
    **authzen.SCHEMAS,
    **native.SCHEMAS,
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "description": "Relative to this installation"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "For people; may change"},
            "code": {"type": "string", "description": "For programs; stable"},
            "errors": {"type": "object", "description": "What is wrong with which member of the body"},
        },
    },
}
# path -> where it stands on the page, and what it does in a few words
_OPERATIONS = {
    "/api/v1/consents": ("Consent", "Save choices"),
    "/api/v1/consents/state": ("Consent", "Read what is in force"),
    "/api/v1/consents/history": ("Consent", "Read a person's records"),
    "/api/v1/consents/receipts": ("Consent", "Get the signed receipt of a save"),
    "/api/v1/dashboard-links": ("Consent", "Send a person to their privacy page"),
    "/api/v1/dashboard-links/revoke": ("Consent", "End a person's sessions and open links"),
    "/api/v1/events": ("Recommendations", "Send an event"),
    "/api/v1/recommendations": ("Recommendations", "Ask for recommendations"),
    "/api/v1/recommender/parameters": ("Recommendations", "Read how the ranking works"),
    "/api/v1/items": ("Recommendations", "Change the catalogue"),
}
_TAGS = [
    {"name": "Decisions", "description": "May this be done with this person's data? Scope `decisions`."},
    {"name": "Consent", "description": "What people chose. Scopes `consents` and `subject_links`."},
    {"name": "Recommendations", "description": "The bundled recommender. Scopes `events` and `recommendations`."},
]
_MEANINGS = {
    "400": "The request is not valid; `errors` says where",
    "401": "No credential, or one that is not valid",
    "403": "The credential lacks the scope",
    "404": "There is no such thing",
    "409": "The state has changed, or does not allow it",
    "413": "The body is too large",
    "422": "The Idempotency-Key was used for another request",
    "429": "Too many in a short time; `Retry-After` says how many seconds to wait",
    "503": "Not available just now; send it again",
}


def finish_document(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Complete the document, as a drf-spectacular post-processing hook."""
    result["paths"] = {**deepcopy({**native.PATHS, **authzen.PATHS}), **result["paths"]}
    result.setdefault("components", {}).setdefault("schemas", {}).update(_SCHEMAS)
    result["tags"] = _TAGS
    for path, operations in result["paths"].items():
        for operation in operations.values():
            operation.setdefault("security", [])  # said aloud: this one needs no credential
            if path in _OPERATIONS:
                tag, operation["summary"] = _OPERATIONS[path]
                operation["tags"] = [tag]
            _describe_problems(operation["responses"])
    return result


def _describe_problems(responses: dict[str, Any]) -> None:
    """Describe every error as the same document; what differs is when it comes."""
    for status, response in responses.items():
        if status >= "400":
            response["description"] = _MEANINGS.get(status, "See `code` and `detail`")
            response["content"] = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
