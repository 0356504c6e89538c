"""Routes about one person or several, and the answer where the person's cell cannot be asked.

A path that is not here has no person in its body, or is a page of a person who has signed in to this cell.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from common.http.problems import Problem
from policies.decisions.rendering import Decision
from policies.endpoints import native
from policies.endpoints.authzen.batch import DEFAULTS, STOPS_AFTER
from policies.endpoints.authzen.requests import question_of

Document = dict[str, Any]
_AN_ID = re.compile(r"/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=/|\Z)")


def _region_of_subject(document: Document) -> Any:
    return _member(document, "subject", "region")


def _region_in_properties(document: Document) -> Any:
    return _member(document, "subject", "properties", "region")


def _member(document: Any, *path: str) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


@dataclass(frozen=True)
class SubjectRoute:
    """One route.

    The answer function words a decision of level none; None where nothing is decided: a read or a write.
    """

    scope: str
    region: Callable[[Document], Any] = _region_of_subject
    items: str | None = None  # the member that holds many questions
    render_denial: Callable[[Decision, Document], Any] | None = None
    render_problem: Callable[[Problem], Any] | None = None  # words one item of a batch; None refuses the whole batch
    answer_member: str | None = None  # what an answer must have to be one
    asks_about_processing: bool = False  # whether the question is about processing where the caller runs
    may_stop: bool = False  # whether a batch may end after its first deny or permit
    default_type: str | None = "data_subject"  # of a person whose type is not said; None where it has to be
    knows_erased: bool = False  # whether an erased person is still answered by the cell they were erased in
    about_entities: bool = False  # of the bundle, which every cell has; no person's row is looked up
    check: Callable[[Document], object] | None = None  # raises ValueError or Problem for what is no question

    def can_be_read(self, question: Document) -> bool:
        try:
            if self.check is not None:
                self.check(question)
        except (ValueError, Problem):
            return False
        return True

    def questions(self, document: Document) -> list[Document] | None:
        """Return a batch's questions with what they share; None for one question, or none that can be read."""
        items = document.get(self.items) if self.items else None
        if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
            return None
        shared = {name: document[name] for name in DEFAULTS if name in document}
        return [{**shared, **item} for item in items]

    def stops_after(self, document: Document) -> bool | None:
        """Return the decision after which a batch ends, None for none. Raises ValueError for what is refused anyway."""
        options = document.get("options") if self.may_stop else None
        if options is None:
            return None
        wanted = options.get("evaluations_semantic", "execute_all") if isinstance(options, dict) else None
        if not isinstance(wanted, str) or wanted not in STOPS_AFTER:
            raise ValueError("options.evaluations_semantic")
        return STOPS_AFTER[wanted]


def _as_authzen(decision: Decision, document: Document) -> Any:
    return msgspec.Raw(decision.body)


_CONSENTS = SubjectRoute("consents")
_REQUESTS = SubjectRoute("requests", knows_erased=True)
_LINKS = SubjectRoute("subject_links")
_QUESTION = SubjectRoute(
    "decisions",
    _region_in_properties,
    render_denial=_as_authzen,
    answer_member="decision",
    asks_about_processing=True,
    default_type=None,
    check=question_of,
)
_SEARCH = SubjectRoute("decisions", _region_in_properties, answer_member="results", about_entities=True)
# A star stands for an id.
SUBJECT_ROUTES: Mapping[str, SubjectRoute] = {
    "/access/v1/evaluation": _QUESTION,
    "/access/v1/evaluations": replace(_QUESTION, items="evaluations", may_stop=True),
    "/access/v1/search/subject": _SEARCH,
    "/access/v1/search/resource": _SEARCH,
    "/access/v1/search/action": _SEARCH,
    native.PATH: replace(_QUESTION, items="decisions", render_denial=native.render_alone),
    "/api/v1/consents": _CONSENTS,
    "/api/v1/consents/state": _CONSENTS,
    "/api/v1/consents/history": _CONSENTS,
    "/api/v1/consents/receipts": _CONSENTS,
    "/api/v1/requests": _REQUESTS,
    "/api/v1/requests/list": _REQUESTS,
    "/api/v1/requests/*": _REQUESTS,
    "/api/v1/requests/*/cancel": _REQUESTS,
    "/api/v1/requests/*/end-mandate": _REQUESTS,
    "/api/v1/requests/*/download": _REQUESTS,
    "/api/v1/dashboard-links": _LINKS,
    "/api/v1/dashboard-links/revoke": _LINKS,
}


def find(routes: Mapping[str, SubjectRoute], path: str) -> SubjectRoute | None:
    """Return the route of a path; None where no person is in its body."""
    return routes.get(path) or routes.get(_AN_ID.sub("/*", path, count=1))
