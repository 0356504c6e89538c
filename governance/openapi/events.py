"""Batches of events in the OpenAPI document: they are served outside Django, where no view describes them."""

from typing import Any

from governance.openapi.authzen import ANY_OBJECT, FREE
from personalization.intake.endpoint import MOST, PATH, SCOPE, SHARED

_ANSWERS = {"$ref": "#/components/schemas/EventAnswers"}
_EXAMPLE = {
    "subject": {"id": "customer-4711"},
    "events": [
        {"event_id": "order-99-1", "type": "purchase", "item": "kettle", "amount": "19.90", "currency": "EUR",
         "occurred_at": "2026-11-29T10:00:00Z"},
        {"event_id": "page-7", "type": "dwell", "value": 45, "item": "teapot", "occurred_at": "2026-11-29T10:01:00Z"},
    ],
}  # fmt: skip
PATHS: dict[str, Any] = {
    PATH: {
        "post": {
            "operationId": "send_events",
            "tags": ["Recommendations"],
            "summary": "Send many events",
            "description": f"From 1 to {MOST:,} events, answered in their order, each as it would be alone: what is "
            "wrong with one keeps no other from being stored. Members beside `events` are what they share, which an "
            "event replaces whole. A repeat of the request changes nothing.",
            "security": [{"service_credential": [SCOPE]}],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/EventBatch"},
                        "example": _EXAMPLE,
                    }
                },
            },
            "responses": {
                "200": {
                    "description": "An answer for each event",
                    "content": {"application/json": {"schema": _ANSWERS}},
                },
                **{code: {"description": ""} for code in ("400", "401", "403", "413", "421", "422", "503")},
            },
        }
    },
}
SCHEMAS: dict[str, Any] = {
    "EventBatch": {
        "type": "object",
        "required": ["events"],
        "additionalProperties": False,
        "properties": {
            "events": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST,
                "items": ANY_OBJECT,
            },
            **dict.fromkeys(SHARED, FREE),
        },
    },
    "EventAnswers": {
        "type": "object",
        "required": ["events"],
        "properties": {
            "events": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["stored", "duplicate"],
                    "properties": {
                        "stored": {"type": "boolean"},
                        "duplicate": {"type": "boolean"},
                        "decision_id": {"type": "string", "description": "Of the decision; events may share one"},
                        "reasons": {"type": "array", "items": {"type": "object"}},
                        "error": {
                            "type": "object",
                            "description": "Why it was not taken in: status, code, title, detail",
                        },
                    },
                },
            }
        },
    },
}
