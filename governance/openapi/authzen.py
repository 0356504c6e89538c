"""AuthZEN endpoints of the OpenAPI document: they are served outside Django, where no view describes them."""

from typing import Any

from policies.endpoints.authzen.batch import MAX_EVALUATIONS
from policies.endpoints.authzen.metadata import PATH

_TEXT = {"type": "string"}
_ACTION = {"type": "object", "required": ["name"], "properties": {"name": _TEXT, "properties": {"type": "object"}}}
_ENTITY = {
    "type": "object",
    "required": ["type", "id"],
    "properties": {"type": _TEXT, "id": _TEXT, "properties": {"type": "object"}},
}
_SEARCHED = {**_ENTITY, "required": ["type"], "description": "What is searched for; an `id` is ignored."}
_CONTEXT = {"type": "object"}
_PAGE = {
    "type": "object",
    "properties": {"token": _TEXT, "limit": {"type": "integer", "minimum": 0}, "properties": {"type": "object"}},
}
EXAMPLE: dict[str, Any] = {
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
}
MEMBERS = {"subject": _ENTITY, "action": _ACTION, "resource": _ENTITY, "context": _CONTEXT}


def _schema(name: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def _post(
    name: str, summary: str, description: str, *, request: str, response: str, example: dict[str, Any]
) -> dict[str, Any]:
    body = _schema(request)
    body["content"]["application/json"]["example"] = example
    return {
        "post": {
            "operationId": f"authzen_{name}",
            "tags": ["Decisions"],
            "summary": summary,
            "description": description,
            "security": [{"service_credential": []}],
            "requestBody": {"required": True, **body},
            "responses": {
                "200": {"description": "The answer", **_schema(response)},
                **{code: {"description": ""} for code in ("400", "401", "403", "413", "503")},
            },
        }
    }


def _search(searched: str, example: dict[str, Any]) -> dict[str, Any]:
    return _post(
        f"search_{searched}",
        f"Search for {searched}s (AuthZEN 1.0)",
        f"List the {searched}s an evaluation would permit, sorted, in pages where `page` asks for them. Questions "
        "about consent are about pseudonyms, so searches for them find nothing.",
        request=f"Authzen{searched.capitalize()}Search",
        response="AuthzenResults",
        example=example,
    )


_USER, _RECORD = {"type": "user", "id": "alice"}, {"type": "record", "id": "record-1"}
_READ = {"name": "read"}
PATHS: dict[str, Any] = {
    "/access/v1/evaluation": _post(
        "evaluation",
        "Ask for a decision (AuthZEN 1.0)",
        "Ask whether something may be done with a person's data. A denial is 200 with `decision: false`; "
        "reasons, level and obligations are in `context`.",
        request="AuthzenRequest",
        response="AuthzenDecision",
        example=EXAMPLE,
    ),
    "/access/v1/evaluations": _post(
        "evaluations",
        "Ask for many decisions (AuthZEN 1.0)",
        f"Up to {MAX_EVALUATIONS:,} questions, decided under one state of the rules and answered in their order. "
        "Members beside `evaluations` are defaults, which an item replaces whole. Without `evaluations` the answer is "
        "one decision.",
        request="AuthzenBatchRequest",
        response="AuthzenBatch",
        example={
            **{member: value for member, value in EXAMPLE.items() if member != "resource"},
            "evaluations": [
                {"resource": EXAMPLE["resource"]},
                {"resource": {"type": "personalization", "id": "mail"}},
            ],
        },
    ),
    "/access/v1/search/subject": _search(
        "subject", {"subject": {"type": "user"}, "action": _READ, "resource": _RECORD, "page": {"limit": 50}}
    ),
    "/access/v1/search/resource": _search(
        "resource", {"subject": _USER, "action": _READ, "resource": {"type": "record"}}
    ),
    "/access/v1/search/action": _search("action", {"subject": _USER, "resource": _RECORD}),
    PATH: {
        "get": {
            "operationId": "authzen_metadata",
            "tags": ["Decisions"],
            "summary": "Find the endpoints (AuthZEN 1.0)",
            "description": "Needs no credential.",
            "security": [],
            "responses": {"200": {"description": "The endpoints", **_schema("AuthzenMetadata")}},
        }
    },
}
_SEARCH = {"type": "object", "required": ["subject", "action", "resource"]}
SCHEMAS: dict[str, Any] = {
    "AuthzenRequest": {"type": "object", "required": ["subject", "action", "resource"], "properties": MEMBERS},
    "AuthzenDecision": {
        "type": "object",
        "required": ["decision"],
        "properties": {"decision": {"type": "boolean"}, "context": _CONTEXT},
    },
    "AuthzenBatchRequest": {
        "type": "object",
        "properties": {
            **MEMBERS,
            "evaluations": {"type": "array", "maxItems": MAX_EVALUATIONS, "items": {"type": "object"}},
            "options": {
                "type": "object",
                "properties": {
                    "evaluations_semantic": {
                        "type": "string",
                        "enum": ["execute_all", "deny_on_first_deny", "permit_on_first_permit"],
                        "default": "execute_all",
                    }
                },
            },
        },
    },
    "AuthzenBatch": {
        "type": "object",
        "description": "Without `evaluations` in the request: one decision.",
        "properties": {
            "evaluations": {"type": "array", "items": {"$ref": "#/components/schemas/AuthzenDecision"}},
            "decision": {"type": "boolean"},
            "context": _CONTEXT,
        },
    },
    "AuthzenSubjectSearch": {**_SEARCH, "properties": {**MEMBERS, "subject": _SEARCHED, "page": _PAGE}},
    "AuthzenResourceSearch": {**_SEARCH, "properties": {**MEMBERS, "resource": _SEARCHED, "page": _PAGE}},
    "AuthzenActionSearch": {
        "type": "object",
        "required": ["subject", "resource"],
        "properties": {"subject": _ENTITY, "resource": _ENTITY, "context": _CONTEXT, "page": _PAGE},
    },
    "AuthzenResults": {
        "type": "object",
        "required": ["results"],
        "properties": {
            "page": {
                "type": "object",
                "required": ["next_token"],
                "properties": {
                    "next_token": {"type": "string", "description": "Empty at the end"},
                    "count": {"type": "integer"},
                    "total": {"type": "integer"},
                },
            },
            "results": {
                "type": "array",
                "items": {"type": "object", "properties": {"type": _TEXT, "id": _TEXT, "name": _TEXT}},
            },
        },
    },
    "AuthzenMetadata": {
        "type": "object",
        "required": ["policy_decision_point", "access_evaluation_endpoint"],
        "properties": {"policy_decision_point": _TEXT, "access_evaluation_endpoint": _TEXT},
        "additionalProperties": _TEXT,
    },
}
