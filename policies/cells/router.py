"""Router of all requests about people: answered here, by the person's own cell, or at level none.

The caller is authenticated here first, with the scope of the way in; the other cell is asked under this cell's
credential and given the caller's name. What another cell has forwarded is answered here or refused, never sent on.
"""

import re
import time
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import msgspec

from common import actors
from common.http import strict_json
from common.http.problems import Problem
from consent.pseudonyms import subject_ref
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.cells import forwarding, unroutable
from policies.cells import routes as routes_of
from policies.cells.forwarding import Application, CellAnswer
from policies.cells.requests import SubjectRequest
from policies.cells.routes import Document, SubjectRoute
from policies.cells.subject_placement import Place, Unplaced, home_of, place
from policies.cells.table import Cell, Table
from policies.decisions import information
from policies.decisions.information import Information, InformationUnavailable
from policies.endpoints import wsgi
from policies.endpoints.authzen.batch import MAX_EVALUATIONS
from policies.endpoints.authzen.requests import resource_type
from policies.endpoints.credentials import token_hash
from policies.endpoints.wsgi import Environ, Refused, StartResponse

SCOPE = "cells"
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,80}")
_encode = msgspec.json.Encoder().encode


class CellRouter:
    """A WSGI application around ``local``, which answers for this cell's own people."""

    def __init__(self, table: Table, routes: Mapping[str, SubjectRoute], local: Application) -> None:
        self._table, self._routes, self._local = table, routes, local

    def concerns(self, environ: Environ) -> bool:
        return environ["REQUEST_METHOD"] == "POST" and self._route(environ) is not None

    def _route(self, environ: Environ) -> SubjectRoute | None:
        return routes_of.find(self._routes, environ.get("PATH_INFO", ""))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        route = self._route(environ)
        if route is None:
            return self._local(environ, start_response)
        try:
            _refuse_strangers(environ, route.scope)
        except Problem as problem:
            return wsgi.refuse(problem, wsgi.common_headers(environ), start_response)
        request = _read_request(environ, route)
        if request is None:
            return self._local(environ, start_response)  # which says what is wrong with it
        try:
            _require_json(environ)
            forwarded_for = self._forwarding_caller(environ)
            if forwarded_for is not None:
                with actors.on_behalf_of(forwarded_for):
                    return self._answer_forwarded(request, environ, start_response)
            known, people = _known(request)
            places = self._places(request, known, people)
            if all(where == self._table.own for where in places):
                return self._local(environ, start_response)
            answer = self._merged_answer(request, places, known)
        except Problem as problem:
            return wsgi.refuse(problem, wsgi.common_headers(environ), start_response)
        return answer.send(wsgi.common_headers(environ), start_response)

    def _forwarding_caller(self, environ: Environ) -> str | None:
        """Return for whom another cell asks, or None where a service asks itself. Raises Refused (401, 403)."""
        cell = environ.get("HTTP_X_ASSENT_CELL")
        if cell is None:
            return None
        credential = wsgi.authenticate(environ, SCOPE)
        name = unquote(environ.get("HTTP_X_ASSENT_CALLER", ""))
        others = {other.name for other in self._table.cells if other != self._table.own}
        if cell not in others or credential != actors.service(f"cell-{cell}") or not _NAME.fullmatch(name):
            raise Refused(403, "forbidden", "This credential is not the one of the cell it speaks for.")
        return f"{name}@{cell}"

    def _answer_forwarded(
        self, request: SubjectRequest, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        if any(where != self._table.own for where in self._places(request, *_known(request))):
            raise Refused(421, "not_this_cell", "This person does not belong to this cell; nothing was done.")
        return self._local(environ, start_response)

    def _places(self, request: SubjectRequest, known: Information, people: Mapping[UUID, Information]) -> list[Place]:
        bundle, now = loading.usable(known.bundle_revision), time.time()
        return [self._place(request.route, question, people, bundle, now) for question in request.questions]

    def _place(
        self,
        route: SubjectRoute,
        question: Document,
        people: Mapping[UUID, Information],
        bundle: LoadedBundle | None,
        now: float,
    ) -> Place:
        own, ref, region = self._table.own, _ref(route, question), route.region(question)
        if region is not None and not isinstance(region, str):
            return own  # refused there: a region is a text
        if ref is None or route.about_entities or (bundle is not None and resource_type(question) in bundle.packages):
            # About no person, or about an entity of a package: those are in the bundle, and so in every cell.
            home = home_of(region, bundle, self._table, now) if region and bundle else own
            return home if isinstance(home, Cell) else own
        found = people.get(ref)
        is_known = found is not None and (route.knows_erased or not found.erased)
        where = place(region, known=is_known, bundle=bundle, table=self._table, now=now)
        # What is no question at all is refused as ever, and not answered with a denial.
        return own if isinstance(where, Unplaced) and not route.can_be_read(question) else where

    def _merged_answer(self, request: SubjectRequest, places: list[Place], known: Information) -> CellAnswer:
        """Return the answers of all places in the order of the questions; one place's whole answer as it came."""
        answers: list[Any] = [None] * len(places)
        for where in dict.fromkeys(places):
            numbers = [number for number, each in enumerate(places) if each == where]
            found = self._answers_from(request, where, numbers, known)
            if isinstance(found, CellAnswer):
                if len(numbers) == len(places) or found.status != 200:
                    return found
                found = msgspec.json.decode(found.body)[request.route.items]
            for number, answer in zip(numbers, found, strict=True):
                answers[number] = answer
        return CellAnswer(200, _encode(request.whole(answers)))

    def _answers_from(
        self, request: SubjectRequest, where: Place, numbers: list[int], known: Information
    ) -> CellAnswer | list[Any]:
        caller, part = actors.service(str(known.caller)), request.part(numbers)
        if where == self._table.own:
            return forwarding.captured(self._local, request.environ, part)
        if isinstance(where, Cell):
            answer = forwarding.ask(self._table.own, where, request, part, caller=caller, count=len(numbers))
            if answer is not None:
                return answer
            where = Unplaced("cell_unavailable")
        return unroutable.answers(
            request, where.code, len(numbers), caller=caller, revision=known.bundle_revision or ""
        )


def _refuse_strangers(environ: Environ, scope: str) -> None:
    """Raise Refused (401, 403, 503) for a caller who may not ask, before a large body is understood."""
    wsgi.token_of(environ)
    if wsgi.is_large(environ):
        wsgi.authenticate(environ, scope)


def _read_request(environ: Environ, route: SubjectRoute) -> SubjectRequest | None:
    """Return the request, or None where ``local`` would refuse it; its body is left for it to read."""
    body = environ["wsgi.input"].read(strict_json.MAX_BODY_BYTES + 1)
    environ["wsgi.input"] = BytesIO(body)
    try:
        request = SubjectRequest.of(environ, route, strict_json.loads_object(body))
    except ValueError:
        return None
    return request if len(request.questions) <= MAX_EVALUATIONS else None


def _require_json(environ: Environ) -> None:
    """Raise Refused for a body that another parser might read differently, or at all."""
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(400, "invalid_request", "Send the body as application/json.")


def _known(request: SubjectRequest) -> tuple[Information, dict[UUID, Information]]:
    """Return the caller, the bundle in force and the people known here; one SQL statement. Raises Refused."""
    refs = {ref for ref in (_ref(request.route, each) for each in request.questions) if ref} or {information.NO_SUBJECT}
    token, scope = wsgi.token_of(request.environ), request.route.scope
    try:
        known, people = information.read_many(refs, token_hash(token), scope.encode())
    except InformationUnavailable:
        code = "information_unavailable" if request.route.render_denial else "unavailable"
        raise Refused(503, code, "The database does not answer; send the request again.") from None
    wsgi.check_known(known, scope)
    return known, people


def _ref(route: SubjectRoute, question: Document) -> UUID | None:
    """Return the pseudonym of the person a question names; None where it names none that could be read."""
    subject = question.get("subject")
    if not isinstance(subject, dict):
        return None
    named, kind = subject.get("id"), subject.get("type", route.default_type)
    return subject_ref(named, subject_type=kind) if isinstance(named, str) and isinstance(kind, str) else None
