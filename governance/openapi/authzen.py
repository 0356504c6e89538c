"""AuthZEN endpoints of the OpenAPI document: they are served outside Django, where no view describes them."""

from collections.abc import Iterable
from typing import Any

from common import patterns
from common.http.strict_json import MAX_NUMBER
from common.levels import LEVELS
from consent.pseudonyms import USABLE
from policies.decisions.facts import AGE_BANDS, CHANNELS, UNKNOWN
from policies.endpoints.authzen.access import SCOPE
from policies.endpoints.authzen.batch import MAX_EVALUATIONS, STOPS_AFTER
from policies.endpoints.authzen.metadata import PATH
from policies.endpoints.authzen.requests import MAX_CATEGORIES

_TEXT = {"type": "string"}
_SHORT = {"type": "string", "maxLength": 512, "pattern": patterns.NOT_BLANK}
_MAYBE_SHORT = {**_SHORT, "type": ["string", "null"]}


def _maybe_one_of(words: Iterable[str]) -> dict[str, Any]:
    return {"type": ["string", "null"], "enum": [*words, None]}


def _maybe_of_form(pattern: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "pattern": f"^{pattern}$"}


_MAYBE_SIGNAL = {"type": ["string", "null"], "maxLength": 65_536}
# What is not named may be sent, as AuthZEN demands; its numbers have to be exact all the same.
FREE = {"$ref": "#/components/schemas/JsonValue"}


def open_object(properties: dict[str, Any], *required: str, nullable: bool = False) -> dict[str, Any]:
    """Return the schema of an object in which further members are ignored."""
    schema: dict[str, Any] = {
        "type": ["object", "null"] if nullable else "object",
        "properties": properties,
        "additionalProperties": FREE,
    }
    return {**schema, "required": list(required)} if required else schema


ANY_OBJECT = open_object({})
_ANY_PROPERTIES = open_object({}, nullable=True)
_CONTEXT = open_object(
    {
        "processing_region": _maybe_of_form(patterns.PROCESSING_REGION),
        "channel": _maybe_one_of(sorted(CHANNELS)),
        "signals": open_object(
            {
                "gpc": {"type": "boolean"},
                "gpp_opt_out": {"type": "boolean"},
                "tcf_purposes": {
                    "type": ["array", "null"],
                    "items": {"type": "integer", "minimum": 1, "maximum": 24},
                },
                "gpp": _MAYBE_SIGNAL,
                "tcf": _MAYBE_SIGNAL,
            },
            nullable=True,
        ),
        "min_revision": {"type": "integer", "minimum": 0, "maximum": MAX_NUMBER},
    },
    nullable=True,
)
_MEMBERS = {
    "subject": open_object(
        {
            "type": _SHORT,
            "id": {**_SHORT, "pattern": USABLE},
            "properties": open_object(
                {
                    "region": _maybe_of_form(patterns.REGION),
                    "age_band": _maybe_one_of(sorted({*AGE_BANDS, UNKNOWN})),
                },
                nullable=True,
            ),
        },
        "type",
        "id",
    ),
    "action": open_object(
        {
            "name": _SHORT,
            "properties": open_object(
                {"purpose": _MAYBE_SHORT, "requested_level": _maybe_one_of(LEVELS), "recipient": _MAYBE_SHORT},
                nullable=True,
            ),
        },
        "name",
    ),
    "resource": open_object(
        {
            "type": _SHORT,
            "id": _SHORT,
            "properties": open_object(
                {
                    "data_categories": {"type": ["array", "null"], "items": _SHORT, "maxItems": MAX_CATEGORIES},
                    "model": _MAYBE_SHORT,
                },
                nullable=True,
            ),
        },
        "type",
        "id",
    ),
    "context": _CONTEXT,
}
_ENTITY_MEMBERS = {"type": _SHORT, "id": _SHORT, "properties": _ANY_PROPERTIES}
_ENTITY = open_object(_ENTITY_MEMBERS, "type", "id")
_SEARCHED = {
    **open_object({"type": _SHORT, "properties": _ANY_PROPERTIES}, "type"),
    "description": "What is searched for; an `id` is ignored.",
}
_NAMED = open_object({"name": _SHORT, "properties": _ANY_PROPERTIES}, "name")
# Shared by the questions of a batch: each item is read, and may be refused, for itself.
DEFAULTS = {
    "subject": open_object(_ENTITY_MEMBERS),
    "action": open_object({"name": _SHORT, "properties": _ANY_PROPERTIES}),
    "resource": open_object(_ENTITY_MEMBERS),
    "context": _ANY_PROPERTIES,
}
_PAGE = open_object(
    {
        "token": {"type": ["string", "null"], "description": "`next_token` of the answer before; not empty to go on."},
        "limit": {"type": ["integer", "null"], "minimum": 0, "maximum": MAX_NUMBER},
        "properties": _ANY_PROPERTIES,
    },
    nullable=True,
)
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
            "security": [{"service_credential": [SCOPE]}],
            "requestBody": {"required": True, **body},
            "responses": {
                "200": {"description": "The answer", **_schema(response)},
                **{code: {"description": ""} for code in ("400", "401", "403", "413", "421", "503")},
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
_BESIDE = {"context": _ANY_PROPERTIES, "page": _PAGE}
_OPTIONS = open_object(
    {
        "evaluations_semantic": {
            "type": "string",
            "enum": list(STOPS_AFTER),
            "default": "execute_all",
        }
    },
    nullable=True,
)
SCHEMAS: dict[str, Any] = {
    "JsonValue": {
        "description": "Any JSON, at most 32 levels deep; numbers only where every reader keeps them exactly.",
        "type": ["null", "boolean", "number", "string", "array", "object"],
        "minimum": -MAX_NUMBER,
        "maximum": MAX_NUMBER,
        "items": FREE,
        "additionalProperties": FREE,
    },
    "AuthzenRequest": {
        "description": "A question about a person. Types of resource that another package of the policy answers for "
        "take any `properties`.",
        **open_object(_MEMBERS, "subject", "action", "resource"),
    },
    "AuthzenDecision": {
        "type": "object",
        "required": ["decision"],
        "properties": {"decision": {"type": "boolean"}, "context": {"type": "object"}},
    },
    "AuthzenBatchRequest": {
        "description": "Without `evaluations`, or with none, one question.",
        "anyOf": [
            open_object(
                {**_MEMBERS, "evaluations": {"type": "array", "maxItems": 0}, "options": _OPTIONS},
                "subject",
                "action",
                "resource",
            ),
            open_object(
                {
                    **DEFAULTS,
                    "evaluations": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_EVALUATIONS,
                        "items": ANY_OBJECT,
                    },
                    "options": _OPTIONS,
                },
                "evaluations",
            ),
        ],
    },
    "AuthzenBatch": {
        "anyOf": [
            {"$ref": "#/components/schemas/AuthzenDecision"},
            {
                "type": "object",
                "required": ["evaluations"],
                "properties": {
                    "evaluations": {"type": "array", "items": {"$ref": "#/components/schemas/AuthzenDecision"}}
                },
            },
        ],
    },
    "AuthzenSubjectSearch": open_object(
        {"subject": _SEARCHED, "action": _NAMED, "resource": _ENTITY, **_BESIDE}, "subject", "action", "resource"
    ),
    "AuthzenResourceSearch": open_object(
        {"subject": _ENTITY, "action": _NAMED, "resource": _SEARCHED, **_BESIDE}, "subject", "action", "resource"
    ),
    "AuthzenActionSearch": open_object({"subject": _ENTITY, "resource": _ENTITY, **_BESIDE}, "subject", "resource"),
    "AuthzenResults": {
        "type": "object",
        "required": ["results"],
        "properties": {
            "page": {
                "type": "object",
                "required": ["next_token", "count", "total"],
                "properties": {
                    "next_token": {"type": "string", "description": "Empty at the end"},
                    "count": {"type": "integer", "minimum": 0},
                    "total": {"type": "integer", "minimum": 0},
                },
            },
            "results": {
                "type": "array",
                "items": {
                    "anyOf": [
                        {"type": "object", "required": ["type", "id"], "properties": {"type": _TEXT, "id": _TEXT}},
                        {"type": "object", "required": ["name"], "properties": {"name": _TEXT}},
                    ]
                },
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
