"""WSGI entry: decision paths go to a bare callable, everything else to Django (docs/decisions/0002)."""

import gc
import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from psycopg.pq.abc import PGresult

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings.local")
_django = get_wsgi_application()

# Models need the apps to be ready, so what imports them comes here.
from common import tracing
from common.http.problems import Problem
from consent import api as consent_api
from consent.ledger import effects
from governance import starting
from governance.monitoring import requests
from governance.web import front_pages, traced_requests
from personalization import cells
from personalization.intake import endpoint as events_endpoint
from personalization.monitors import flushing
from personalization.rollouts import observing
from personalization.serving import endpoint as recommendations_endpoint
from personalization.visitors import endpoint as visits_endpoint
from policies.cells.router import CellRouter
from policies.cells.routes import SUBJECT_ROUTES
from policies.endpoints import authzen, consent_state, native, wsgi
from policies.endpoints.authzen import metadata
from policies.endpoints.begun import Begun

logger = logging.getLogger(__name__)
_BARE = {
    "/api/v1/consents": wsgi.endpoint(wsgi.authenticated(consent_api.save, scope="consents")),
    consent_state.PATH: consent_state.application,
    native.PATH: native.application,
    metadata.PATH: metadata.application,
    events_endpoint.PATH: events_endpoint.application,
    recommendations_endpoint.PATH: recommendations_endpoint.application,
    visits_endpoint.PATH: visits_endpoint.application,
}


def _here(environ: wsgi.Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
    """Return this installation's own application."""
    path = environ.get("PATH_INFO", "")
    answer = authzen.application if path.startswith(authzen.PREFIX) else _BARE.get(path)
    if answer is None:
        return _django(environ, start_response)  # type: ignore[arg-type]  # wsgiref's type names a third argument
    return answer(environ, start_response)


# In front of it all where this installation is one of several cells.
_routes = {**SUBJECT_ROUTES, **cells.SUBJECT_ROUTES}
cell_router = None if settings.CELLS is None else CellRouter(settings.CELLS, _routes, _here)

if not settings.CELERY_TASK_ALWAYS_EAGER:  # where tasks run at once, so do effects
    starting.require_subject_key()
    starting.require_replayed()
    effects.dispatch_in_background()
    flushing.in_background()
    observing.in_background()

# What is loaded by now stays for ever; collections need not look at it again, which is what makes their pauses long.
gc.collect()
gc.freeze()


class _Failed(Problem):
    status = 500
    code = "internal_error"
    title = "Something went wrong on our side"


_PATHS = frozenset({*_BARE, *authzen.ENDPOINTS})
# For ``governance.front``.
watch_pools, count_own, for_reader = requests.watch_pools, requests.count_own, front_pages.for_reader


@requests.counted(_PATHS)
@traced_requests.traced(_PATHS)
def application(environ: wsgi.Environ, start_response: wsgi.StartResponse) -> Iterable[bytes]:
    answer = cell_router if cell_router is not None and cell_router.concerns(environ) else _here
    try:
        return answer(environ, start_response)
    except Exception:
        logger.exception("An answer failed")
        failed = _Failed("Nothing was decided or saved. Send the request again.")
        return wsgi.refuse(failed, wsgi.common_headers(environ), start_response)


class CountedBegun:
    """A request in two halves that is counted when it is concluded."""

    __slots__ = ("_begun", "_counting", "parameters", "statement")

    def __init__(self, begun: Begun[Any], counting: requests.Counting) -> None:
        self._begun, self._counting = begun, counting
        self.parameters, self.statement = begun.parameters, begun.statement

    def conclude(self, result: PGresult | None, start_response: wsgi.StartResponse) -> list[bytes]:
        """Answer out of the statement's result, as ``Begun`` does."""
        body = self._begun.conclude(result, self._counting.answering(start_response))
        self._counting.finish(body)
        return body


_HALVES: dict[str, Callable[[wsgi.Environ], Begun[Any]]] = {
    "/access/v1/evaluation": authzen.begin,
    consent_state.PATH: consent_state.begin,
    recommendations_endpoint.PATH: recommendations_endpoint.begin,
    visits_endpoint.PATH: visits_endpoint.begin,
}


def begin(environ: wsgi.Environ, start_response: wsgi.StartResponse) -> CountedBegun | list[bytes] | None:
    """Read a request whose answer is one statement away, for the loop of ``governance.front``; or refuse it.

    None for all others: the application answers them, in a thread that may wait. So it does where a request may have to
    be forwarded to another cell, and where requests are traced from one end to the other.
    """
    half = _HALVES.get(environ.get("PATH_INFO", ""))
    if half is None or cell_router is not None or tracing.ON:
        return None
    counting = requests.Counting(environ, _PATHS, start_response)
    try:
        return CountedBegun(half(environ), counting)
    except Problem as refused:
        body = wsgi.refuse(refused, wsgi.common_headers(environ), counting.start_response)
        counting.finish(body)
        return body
