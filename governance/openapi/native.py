"""Native decisions endpoint of the OpenAPI document: it is served outside Django, where no view describes it."""

from typing import Any

from common.levels import LEVELS
from governance.openapi.authzen import ANY_OBJECT, DEFAULTS, EXAMPLE, open_object
from policies.endpoints.authzen.access import SCOPE
from policies.endpoints.authzen.batch import MAX_EVALUATIONS
from policies.endpoints.native import MAX_EXPLAINED, PATH

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_LEVEL = {"type": ["string", "null"], "enum": [*LEVELS, None]}
_ONE, _MANY = ({"$ref": f"#/components/schemas/{name}"} for name in ("Decision", "Decisions"))
_QUESTION = {"$ref": "#/components/schemas/AuthzenRequest"}
_WISHES = {
    "explain": {
        "type": "boolean",
        "default": False,
        "description": f"Tell the rules that led to the answer; at most {MAX_EXPLAINED} questions.",
    },
    "would_change": {
        "type": "boolean",
        "default": True,
        "description": "Work out what would change the answer.",
    },
}
PATHS: dict[str, Any] = {
    PATH: {
        "post": {
            "operationId": "decide",
            "tags": ["Decisions"],
            "summary": "Ask for decisions and their reasons",
            "description": f"One question, or up to {MAX_EVALUATIONS:,} in `decisions`, decided under one state of the "
            "rules and answered in their order; members beside `decisions` are defaults, which an item replaces whole. "
            "A denial is 200 with `decision: false`. An item that is no question is a denial with `error`.",
            "security": [{"service_credential": [SCOPE]}],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/DecisionRequest"},
                        "example": {**EXAMPLE, "explain": True},
                    }
                },
            },
            "responses": {
                "200": {
                    "description": "The decision, or `decisions` in the order of the questions",
                    "content": {"application/json": {"schema": {"anyOf": [_ONE, _MANY]}}},
                },
                **{code: {"description": ""} for code in ("400", "401", "403", "413", "421", "503")},
            },
        }
    },
}
SCHEMAS: dict[str, Any] = {
    "DecisionRequest": {
        "anyOf": [
            # `decisions` makes it a request of the other kind.
            {"allOf": [_QUESTION, {"type": "object", "properties": {**_WISHES, "decisions": False}}]},
            {
                **open_object(
                    {
                        **DEFAULTS,
                        "decisions": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": MAX_EVALUATIONS,
                            "items": ANY_OBJECT,
                        },
                        **_WISHES,
                    },
                    "decisions",
                ),
                "if": {"properties": {"explain": {"const": True}}, "required": ["explain"]},
                "then": {"properties": {"decisions": {"maxItems": MAX_EXPLAINED}}},
            },
        ]
    },
    "Decision": {
        "type": "object",
        "required": [
            "decision",
            "decision_id",
            "outcome",
            "level",
            "reasons",
            "obligations",
            "requestable",
            "legal_basis",
            "subject_revision",
            "bundle_revision",
            "valid_until",
        ],
        "properties": {
            "decision": {"type": "boolean"},
            "decision_id": {"type": "string", "format": "uuid"},
            "outcome": {
                "type": "string",
                "enum": ["permit", "deny", "unknown"],
                "description": "`unknown` denies, too: something needed to decide was not known.",
            },
            "level": {**_LEVEL, "description": "null for other actions than `personalize`"},
            "reasons": {"type": "array", "items": {"$ref": "#/components/schemas/DecisionReason"}},
            "obligations": {"type": "array", "items": {"$ref": "#/components/schemas/DecisionObligation"}},
            "requestable": {"type": "boolean", "description": "Asking the person could turn the denial into a permit"},
            "legal_basis": _MAYBE_TEXT,
            "subject_revision": {"type": "integer"},
            "bundle_revision": _MAYBE_TEXT,
            "valid_until": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "When time alone may change the answer",
            },
            "warnings": {
                "type": "array",
                "items": {"type": "string", "enum": ["region_conflict"]},
                "description": "Only where there are any: what of the request was set aside",
            },
            "would_change": {
                "type": ["array", "null"],
                "items": {"$ref": "#/components/schemas/DecisionChange"},
                "description": "Single changes after which more would be permitted; empty after a refusal. null where "
                "the request had too many different answers to try them all.",
            },
            "rules": {
                "type": ["array", "null"],
                "items": {"$ref": "#/components/schemas/DecisionRule"},
                "description": "With `explain`: the rules that were looked at. null where no rule was asked.",
            },
        },
    },
    "DecisionReason": {
        "type": "object",
        "required": ["code", "officer", "person"],
        "properties": {
            "code": {"type": "string", "description": "For programs; stable"},
            "detail": _TEXT,
            "officer": {"type": "string", "description": "A sentence for officers; may change"},
            "person": {"type": "string", "description": "A sentence for the person concerned; may change"},
        },
    },
    "DecisionObligation": {
        "type": "object",
        "description": "Who cannot fulfil it has to treat the permit as a denial.",
        "required": ["id", "type", "properties"],
        "properties": {"id": _TEXT, "type": _TEXT, "properties": {"type": "object"}},
    },
    "DecisionChange": {
        "type": "object",
        "required": ["code"],
        "properties": {
            "code": {
                "type": "string",
                "enum": [
                    "grant_consent",
                    "approve_model",
                    "approve_model_for_purpose",
                    "pass_gates",
                    "process_in_region",
                    "renew_instrument",
                    "leave_out_categories",
                    "wait_for_quiet_hours_to_end",
                ],
            },
            "purpose": {"type": "string", "description": "Whose consent, or for which the model"},
            "part": {"type": "object", "description": "The part of the purpose that is enough"},
            "explicit": {"type": "boolean", "description": "The consent has to be explicit"},
            "model": _TEXT,
            "version": {"type": "integer"},
            "region": _TEXT,
            "instrument": _TEXT,
            "categories": {"type": "array", "items": _TEXT},
            "to_level": {**_LEVEL, "description": "The level it would lead to"},
        },
    },
    "DecisionRule": {
        "type": "object",
        "required": ["rule", "source", "title", "fired", "value"],
        "properties": {
            "rule": _TEXT,
            "source": {"type": "string", "description": "Module of the bundle and line"},
            "title": _TEXT,
            "description": _TEXT,
            "fired": {"type": "boolean", "description": "It held, or has something in it"},
            "value": {"description": "What the rule as a whole says of this question; null where it is undefined"},
        },
    },
    "DecisionFault": {
        "type": "object",
        "required": ["decision", "error"],
        "properties": {
            "decision": {"const": False},
            "error": {
                "type": "object",
                "required": ["status", "message"],
                "properties": {"status": {"type": "integer"}, "message": _TEXT},
            },
        },
    },
    "Decisions": {
        "type": "object",
        "required": ["decisions"],
        "properties": {
            "decisions": {
                "type": "array",
                "items": {"anyOf": [_ONE, {"$ref": "#/components/schemas/DecisionFault"}]},
            }
        },
    },
}
