"""Valid bodies of every endpoint that takes one, and how they are spoilt."""

import copy
from typing import Any

from hypothesis import strategies as st

from personalization.intake import endpoint as events
from policies.endpoints import native
from tests.helpers import recent
from tests.helpers.certification_cases import ALICE, READ, RECORD, SEARCHES
from tests.helpers.wsgi_calls import EVALUATION, EVALUATIONS, question

PERSON = {"id": "customer-1"}
VALID: dict[str, dict[str, Any]] = {
    EVALUATION: question(),
    EVALUATIONS: {
        **question(),
        "options": {"evaluations_semantic": "deny_on_first_deny"},
        "evaluations": [{}, {"subject": ALICE, "action": READ, "resource": RECORD, "context": {}}],
    },
    native.PATH: {"decisions": [question(), {"subject": ALICE, "action": READ, "resource": RECORD}], "explain": True},
    **{path: {**search, "page": {"limit": 1, "properties": {}}} for path, search in SEARCHES.items()},
    "/api/v1/consents": {
        "subject": {**PERSON, "region": "DE", "age_band": "adult"},
        "choices": [{"purpose": "newsletter", "choice": "give", "explicit": True, "notice_version": 1}],
        "source": "api",
    },
    "/api/v1/consents/state": {"subject": PERSON},
    "/api/v1/consents/history": {"subject": PERSON},
    "/api/v1/consents/receipts": {"subject": PERSON, "subject_revision": 1},
    "/api/v1/dashboard-links": {"subject": PERSON},
    "/api/v1/dashboard-links/revoke": {"subject": PERSON},
    "/api/v1/events": {
        "event_id": "e-1",
        "subject": PERSON,
        "type": "rating",
        "item": "kettle",
        "value": 3,
        "occurred_at": f"{recent.AT:%Y-%m-%dT%H:%M:%S}+01:00",
    },
    events.PATH: {
        "subject": PERSON,
        "events": [
            {"event_id": "e-1", "type": "view", "item": "kettle", "occurred_at": f"{recent.AT:%Y-%m-%dT%H:%M:%SZ}"}
        ],
    },
    "/api/v1/recommendations": {"subject": PERSON, "count": 3, "session": ["kettle"], "signals": {"gpc": True}},
    "/api/v1/recommendations/visit": {"purpose": "visit-recommendations", "session": ["kettle"], "region": "DE"},
    "/api/v1/items/batch": {
        "items": [{"id": "kettle", "title": "Kettle", "stock": 1}, {"id": "pot", "action": "remove"}]
    },
    "/api/v1/items": {"items": [{"id": "kettle", "title": "Kettle", "categories": ["kitchen"], "offered": True}]},
}
METHODS = {"/api/v1/items": "PUT"}

NASTY = st.sampled_from(
    [None, True, -1, 0, 2**31, 2**53 - 1, 1.5, 1e308, "", " ", "\x00", "\ud83d\ude00", "a" * 5_000, "%s", "../..",
     "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "2026-01-05T10:00:00", "none", [], [[]], {}, {"": ""}]
)  # fmt: skip
ANYTHING = st.recursive(
    NASTY | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
).map(copy.deepcopy)  # the empty ones above are filled by later changes


def _places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [at, *(place for key, value in inner for place in _places(value, (*at, key)))]


@st.composite
def spoilt(draw: st.DrawFn, document: dict[str, Any]) -> Any:
    """A valid body with one to three of its parts replaced, removed or joined by others."""
    body: Any = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(_places(body)))
        if not place:
            return draw(ANYTHING)
        part = body
        for key in place[:-1]:
            part = part[key]
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            part[place[-1]] = draw(ANYTHING)
        elif change == "remove":
            del part[place[-1]]
        elif isinstance(part, dict):
            part[draw(st.text(max_size=8))] = draw(ANYTHING)
        else:
            part.append(draw(ANYTHING))
        if not isinstance(body, dict | list) or not body:
            return body
    return body
