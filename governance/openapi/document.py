"""Post-processing of the OpenAPI document: what the views cannot say, and the endpoints outside of Django's views."""

from copy import deepcopy
from typing import Any

from common.http.problems import CONTENT_TYPE
from governance.openapi import authzen, events, native, platform

_SCHEMAS: dict[str, Any] = {
    **authzen.SCHEMAS,
    **events.SCHEMAS,
    **native.SCHEMAS,
    **platform.SCHEMAS,
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "description": "Relative to this installation"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "For people; may change"},
            "code": {"type": "string", "description": "For programs; stable"},
            "errors": {"type": "object", "description": "What is wrong with which member of the body or query"},
        },
    },
}
_PATHS: dict[str, Any] = {**native.PATHS, **authzen.PATHS, **events.PATHS, **platform.PATHS}
# path -> where it stands on the page, and what it does in a few words
_OPERATIONS = {
    "/api/v1/consents": ("Consent", "Save choices"),
    "/api/v1/consents/state": ("Consent", "Read what is in force"),
    "/api/v1/consents/history": ("Consent", "Read a person's records"),
    "/api/v1/consents/receipts": ("Consent", "Get the signed receipt of a save"),
    "/api/v1/dashboard-links": ("Consent", "Send a person to their privacy page"),
    "/api/v1/dashboard-links/revoke": ("Consent", "End a person's sessions and open links"),
    "/api/v1/requests": ("Requests", "Open a request"),
    "/api/v1/requests/list": ("Requests", "List a person's requests"),
    "/api/v1/requests/{request_id}": ("Requests", "Show one request"),
    "/api/v1/requests/{request_id}/cancel": ("Requests", "Cancel a request"),
    "/api/v1/requests/{request_id}/end-mandate": ("Requests", "End an agent's mandate"),
    "/api/v1/requests/{request_id}/download": ("Requests", "Get a link to an answer's files"),
    "/api/v1/banner/{site}": ("Banner", "Get the banner of a site"),
    "/api/v1/banner/{site}/choices": ("Banner", "Save what a visitor chose"),
    "/api/v1/banner/{site}/state": ("Banner", "Read what a browser's visitor chose"),
    "/api/v1/purposes": ("Registers", "Read the purposes in force"),
    "/api/v1/jurisdictions": ("Registers", "Read the laws and their regions"),
    "/api/v1/levels": ("Registers", "Read the levels and their names"),
    "/api/v1/events": ("Recommendations", "Send an event"),
    "/api/v1/recommendations": ("Recommendations", "Ask for recommendations"),
    "/api/v1/recommendations/general": ("Recommendations", "Read the list that everybody gets"),
    "/api/v1/recommendations/visit": ("Recommendations", "Ask for recommendations for a visitor without a record"),
    "/api/v1/recommender/parameters": ("Recommendations", "Read how the ranking works"),
    "/api/v1/items": ("Catalogue", "Put items, all or none"),
    "/api/v1/items/batch": ("Catalogue", "Put, change and remove many items"),
    "/api/v1/items/{item}": ("Catalogue", "Read, put, change or remove an item"),
    "/api/v1/creators/{creator}": ("Recommendations", "Take a creator's opt-out, or take it back"),
    "/api/v1/releases": ("Releases", "List the releases of the calling party"),
    "/api/v1/releases/{release}/file": ("Releases", "Fetch the file of a release"),
    "/api/v1/releases/{release}/manifest": ("Releases", "Fetch the signed manifest of a release"),
    "/api/v1/models": ("Models", "List the models"),
    "/api/v1/models/{slug}/versions": ("Models", "Register a version"),
    "/api/v1/models/{slug}/versions/{number}": ("Models", "Read or change a version"),
    "/api/v1/models/{slug}/versions/{number}/evidence": ("Models", "State what is known of a version"),
    "/api/v1/models/{slug}/versions/{number}/documents": ("Models", "Keep a document of a version"),
    "/api/v1/opa/bundles/active.tar.gz": ("OPA servers", "Pull the bundle in force"),
    "/api/v1/opa/bundles/unsigned.tar.gz": ("OPA servers", "Pull the bundle in force without a signature"),
    "/api/v1/opa/bundles/candidate.tar.gz": ("OPA servers", "Pull the candidate's bundle during a rollout"),
    "/api/v1/opa/bundles/{key_id}/active.tar.gz": ("OPA servers", "Pull the bundle in force, signed by this key"),
    "/api/v1/opa/bundles/{key_id}/candidate.tar.gz": ("OPA servers", "Pull the candidate's bundle, signed by this key"),
    "/api/v1/opa/discovery.tar.gz": ("OPA servers", "Pull the configuration"),
    "/api/v1/opa/discovery/{key_id}.tar.gz": ("OPA servers", "Pull the configuration, signed by this key"),
    "/api/v1/opa/status": ("OPA servers", "Report a server's status"),
    "/api/v1/opa/logs": ("OPA servers", "Report a server's decisions"),
    "/api/v1/cells/release": ("Platform", "Pull the rules of the primary cell"),
    "/metrics": ("Platform", "Read the metrics"),
}
_TAGS = [
    {"name": "Decisions", "description": "May this be done with this person's data? Scope `decisions`."},
    {"name": "Consent", "description": "What people chose. Scopes `consents` and `subject_links`."},
    {"name": "Requests", "description": "What people ask under the law (docs/rights.md). Scope `requests`."},
    {"name": "Banner", "description": "What browsers call, from pages of registered sites only (docs/banner.md)."},
    {"name": "Registers", "description": "Purposes, laws and levels; nothing about people. Scope `registers`."},
    {"name": "Recommendations", "description": "The bundled recommender. Scopes `events` and `recommendations`."},
    {"name": "Catalogue", "description": "Items that can be recommended (docs/catalogue.md). Scope `items`."},
    {"name": "Models", "description": "Models that run elsewhere (docs/model-release.md). Scope `models`."},
    {"name": "Releases", "description": "Tables made safe for a party (docs/releases.md). Scope `releases`."},
    {"name": "OPA servers", "description": "Servers that pull bundles and report (docs/operations.md). Scope `opa`."},
    {"name": "Platform", "description": "Health, metrics, keys, cells. Scopes `metrics` and `cells`."},
]
_MEANINGS = {
    "400": "The request is not valid; `errors` says where",
    "401": "No credential, or one that is not valid",
    "403": "The credential lacks the scope",
    "404": "There is no such thing",
    "406": "The `Accept` header leaves out application/json",
    "409": "The state has changed, or does not allow it",
    "413": "The body is too large",
    "415": "The body is not sent as application/json",
    "421": "The person belongs to another cell",
    "422": "The Idempotency-Key was used for another request, or the person's region is needed",
    "429": "Too many in a short time; `Retry-After` says how many seconds to wait",
    "500": "Something went wrong on our side; send it again",
    "503": "Not available just now; send it again",
}
# Answered outside of Django's views, or whatever the `Accept` header lists.
_ACCEPT_IS_IGNORED = ("/api/v1/consents", "/api/v1/consents/state", "/api/v1/opa/", "/metrics")


def finish_document(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Complete the document, as a drf-spectacular post-processing hook."""
    for path, operations in result["paths"].items():
        for operation in operations.values():
            _describe_negotiation(path, operation)
    result["paths"] = {**deepcopy(_PATHS), **result["paths"]}
    result.setdefault("components", {}).setdefault("schemas", {}).update(_SCHEMAS)
    result["tags"] = _TAGS
    for path, operations in result["paths"].items():
        for operation in operations.values():
            operation.setdefault("security", [])  # said aloud: this one needs no credential
            if path in _OPERATIONS:
                tag, operation["summary"] = _OPERATIONS[path]
                operation["tags"] = [tag]
            operation["responses"].setdefault("500", {})
            _describe_problems(operation["responses"])
    return result


def _describe_negotiation(path: str, operation: dict[str, Any]) -> None:
    """Add the refusals of the REST framework itself, which no view names."""
    if path in _ACCEPT_IS_IGNORED or path.startswith(_ACCEPT_IS_IGNORED[2:]):
        return
    operation["responses"]["406"] = {}
    if "requestBody" in operation:
        operation["responses"]["415"] = {}


def _describe_problems(responses: dict[str, Any]) -> None:
    """Describe every error as the same document; what differs is when it comes."""
    for status, response in responses.items():
        if status >= "400" and "content" not in response:
            response["description"] = _MEANINGS.get(status, "See `code` and `detail`")
            response["content"] = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
