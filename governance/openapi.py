"""Finish the OpenAPI document: the AuthZEN endpoint is served beside Django, so it is described here."""

from typing import Any

_ENTITY = {
    "type": "object",
    "required": ["type", "id"],
    "properties": {"type": {"type": "string"}, "id": {"type": "string"}, "properties": {"type": "object"}},
}
_EVALUATION: dict[str, Any] = {
    "post": {
        "operationId": "authzen_evaluation",
        "tags": ["access"],
        "summary": "AuthZEN 1.0 evaluation",
        "description": (
            "Ask whether something may be done with a person's data. A denial is 200 with `decision: false`; "
            "reasons, level and obligations are in `context`."
        ),
        "security": [{"service_credential": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/AuthzenRequest"},
                    "example": {
                        "subject": {"type": "data_subject", "id": "customer-4711"},
                        "action": {
                            "name": "personalize",
                            "properties": {"purpose": "recommendations", "requested_level": "individual"},
                        },
                        "resource": {
                            "type": "personalization",
                            "id": "home-feed",
                            "properties": {"data_categories": ["purchases", "views"]},
                        },
                        "context": {"processing_region": "eu-central"},
                    },
                }
            },
        },
        "responses": {
            "200": {
                "description": "The decision",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AuthzenDecision"}}},
            },
            **{code: {"description": "problem+json"} for code in ("400", "401", "403", "413", "503")},
        },
    }
}
_SCHEMAS: dict[str, Any] = {
    "AuthzenRequest": {
        "type": "object",
        "required": ["subject", "action", "resource"],
        "properties": {
            "subject": _ENTITY,
            "resource": _ENTITY,
            "action": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "properties": {"type": "object"}},
            },
            "context": {"type": "object"},
        },
    },
    "AuthzenDecision": {
        "type": "object",
        "required": ["decision"],
        "properties": {"decision": {"type": "boolean"}, "context": {"type": "object"}},
    },
}


def finish_document(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A drf-spectacular post-processing hook."""
    result["paths"]["/access/v1/evaluation"] = _EVALUATION
    result.setdefault("components", {}).setdefault("schemas", {}).update(_SCHEMAS)
    return result
