"""Endpoints of the platform that no view of the REST framework answers: health, keys and other public documents."""

from typing import Any

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}


def _get(name: str, summary: str, description: str, schema: str, *, media_type: str = "application/json") -> Any:
    content = {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {
        "get": {
            "operationId": name,
            "tags": ["Platform"],
            "summary": summary,
            "description": f"{description} Needs no credential.",
            "security": [],
            "responses": {"200": {"description": "The document", "content": content}},
        }
    }


_READY = _get("ready", "Ask whether decisions can be made", "503 names what is missing.", "Readiness")
_READY["get"]["responses"]["503"] = {**_READY["get"]["responses"]["200"], "description": "Something is missing"}
PATHS: dict[str, Any] = {
    "/health/live": _get("live", "Ask whether this process answers", "It asks nothing else.", "Liveness"),
    "/health/ready": _READY,
    "/.well-known/jwks.json": _get(
        "keys",
        "Get the public keys",
        "Keys that sign receipts, evidence and bundles, retired ones among them (RFC 7517).",
        "Keys",
        media_type="application/jwk-set+json",
    ),
    "/.well-known/gpc.json": _get(
        "global_privacy_control", "Read that Global Privacy Control is honoured", "Since when it is.", "GpcSupport"
    ),
}
SCHEMAS: dict[str, Any] = {
    "Liveness": {"type": "object", "required": ["status"], "properties": {"status": {"const": "live"}}},
    "Readiness": {
        "type": "object",
        "required": ["status", "missing", "warnings"],
        "properties": {
            "status": {"type": "string", "enum": ["ready", "not ready"]},
            "missing": {**_TEXTS, "description": "What keeps decisions from being made"},
            "warnings": {**_TEXTS, "description": "What is wrong, and keeps none from being made"},
        },
    },
    "Keys": {
        "type": "object",
        "required": ["keys"],
        "properties": {
            "keys": {
                "type": "array",
                "items": {"type": "object", "required": ["kty", "kid"], "properties": {"kty": _TEXT, "kid": _TEXT}},
            }
        },
    },
    "GpcSupport": {
        "type": "object",
        "required": ["gpc", "lastUpdate"],
        "properties": {"gpc": {"const": True}, "lastUpdate": {"type": "string", "format": "date"}},
    },
}
