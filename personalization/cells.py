"""Routes of the personalization proxy, where this installation is one of several cells."""

from collections.abc import Mapping
from typing import Any

from common.http.rest import read_document
from personalization import proxy
from personalization.intake import answers, endpoint
from personalization.serving.bodies import RecommendationBody
from policies.cells.routes import Document, SubjectRoute
from policies.decisions.rendering import Decision

_COUNT = 10
_MOST = 100
_MOST_CANDIDATES = 1_000


def _region(document: Document) -> Any:
    """Return the region of the person, which a request for recommendations may state in two places."""
    subject = document.get("subject")
    return document.get("region") or (subject.get("region") if isinstance(subject, dict) else None)


def _render_denial(decision: Decision, document: Document) -> Any:
    wanted = document.get("count")
    count = wanted if type(wanted) is int and 1 <= wanted <= _MOST else _COUNT
    return proxy.recommend_unrouted(count, decision, _candidates(document.get("candidates"))).document()


def _candidates(items: Any) -> tuple[str, ...] | None:
    if not isinstance(items, list):
        return None
    return tuple(dict.fromkeys(item for item in items[:_MOST_CANDIDATES] if isinstance(item, str)))


def _check(document: Document) -> object:
    return read_document(RecommendationBody, document)


SUBJECT_ROUTES: Mapping[str, SubjectRoute] = {
    "/api/v1/events": SubjectRoute("events"),
    endpoint.PATH: SubjectRoute(endpoint.SCOPE, items="events", render_problem=answers.refusal),
    "/api/v1/prices": SubjectRoute("prices", _region),
    "/api/v1/recommendations": SubjectRoute(
        "recommendations", _region, render_denial=_render_denial, answer_member="items", check=_check
    ),
}
