"""POST /access/v1/search/...: which subjects, resources or actions the evaluation endpoint would permit.

A search evaluates its question once for each candidate: every result evaluates to true, and nothing else does.
Properties given for the searched entity count for each candidate, as they do in an evaluation. The consent package
knows pseudonyms only, so it can name no subject: searches for its types of resource find nothing.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from policies.bundles.packages import Package
from policies.decisions import information
from policies.decisions.evaluate import BatchEvaluation, RenderedVerdict
from policies.decisions.information import Information
from policies.decisions.questions import EntityQuestion
from policies.endpoints.authzen import access, pages
from policies.endpoints.authzen.faults import converted
from policies.endpoints.authzen.requests import Entity, EntityType, Named, Properties, entity_question
from policies.endpoints.wsgi import Refused

_FIRST_PAGE = pages.PageRequest()
_encode = msgspec.json.Encoder().encode
Found = dict[str, str]
# What an answer would list, and the question that decides about it.
Candidates = Iterator[tuple[Found, EntityQuestion]]


class _SubjectSearch(msgspec.Struct):
    subject: EntityType
    action: Named
    resource: Entity
    context: Properties = None
    page: pages.PageRequest | None = None

    def candidates(self, package: Package) -> Candidates:
        kind = self.subject.type
        for found in package.ids_of(kind):
            subject = Entity(kind, found, self.subject.properties)
            yield {"type": kind, "id": found}, entity_question(subject, self.action, self.resource)


class _ResourceSearch(msgspec.Struct):
    subject: Entity
    action: Named
    resource: EntityType
    context: Properties = None
    page: pages.PageRequest | None = None

    def candidates(self, package: Package) -> Candidates:
        kind = self.resource.type
        for found in package.ids_of(kind):
            resource = Entity(kind, found, self.resource.properties)
            yield {"type": kind, "id": found}, entity_question(self.subject, self.action, resource)


class _ActionSearch(msgspec.Struct):
    subject: Entity
    resource: Entity
    context: Properties = None
    page: pages.PageRequest | None = None

    def candidates(self, package: Package) -> Candidates:
        for name in package.actions:
            yield {"name": name}, entity_question(self.subject, Named(name), self.resource)


_Search = _SubjectSearch | _ResourceSearch | _ActionSearch


def subjects(document: dict[str, Any], token: str) -> bytes:
    return _answer(document, token, _SubjectSearch)


def resources(document: dict[str, Any], token: str) -> bytes:
    return _answer(document, token, _ResourceSearch)


def actions(document: dict[str, Any], token: str) -> bytes:
    return _answer(document, token, _ActionSearch)


def _answer(document: dict[str, Any], token: str, kind: type[_Search]) -> bytes:
    try:
        search: _Search = converted(document, kind)
    except ValueError as exc:
        access.refuse(str(exc), token)
    known = access.read(information.NO_SUBJECT, token)
    batch = BatchEvaluation(caller=access.authorise(known))
    permitted = list(_permitted(search, batch, known))
    try:
        cut = pages.cut(search.page or _FIRST_PAGE, len(permitted), _digest(search, known.caller))
    except ValueError as exc:
        raise Refused(400, "page_token_invalid", str(exc)) from None
    listed = permitted[cut.start : cut.stop]
    for _found, question, rendered in listed:
        batch.answer(question, rendered)  # a listed permit is logged: the caller will act on it
    batch.log()
    return _encode({**_page(search, cut, len(permitted)), "results": [found for found, *_ in listed]})


def _permitted(
    search: _Search, batch: BatchEvaluation, known: Information
) -> Iterator[tuple[Found, EntityQuestion, RenderedVerdict]]:
    package = access.packages_in_force(known).get(search.resource.type)
    for found, question in search.candidates(package) if package else ():
        rendered = batch.evaluate(question, known)
        if rendered.verdict.decision:
            yield found, question, rendered


def _digest(search: _Search, caller: str | None) -> str:
    parts = {name: getattr(search, name) for name in search.__struct_fields__ if name != "page"}
    return pages.digest_of(type(search).__name__, caller, parts)


def _page(search: _Search, cut: pages.Cut, total: int) -> dict[str, Any]:
    """Return the ``page`` member: where it was asked for, and wherever this answer does not hold everything."""
    if search.page is None and not cut.next_token:
        return {}
    return {"page": {"next_token": cut.next_token, "count": cut.stop - cut.start, "total": total}}
