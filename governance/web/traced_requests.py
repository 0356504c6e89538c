"""Span of an incoming request, of the bare endpoints and of Django alike."""

from collections.abc import Callable, Collection, Iterable
from functools import wraps

from django.urls import Resolver404, resolve

from common import tracing
from common.tracing import Attributes
from policies.endpoints.wsgi import Environ, Headers, StartResponse

Application = Callable[[Environ, StartResponse], Iterable[bytes]]
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def traced(bare_paths: Collection[str]) -> Callable[[Application], Application]:
    """Decorate the WSGI application; ``bare_paths`` are those Django's URLs do not name. Off: the application itself.

    The span ends when the answer is handed to the server.
    """
    if not tracing.ON:
        return lambda application: application
    tracing.start()

    def decorate(application: Application) -> Application:
        @wraps(application)
        def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            traceparent = environ.get("HTTP_TRACEPARENT")
            with tracing.entry(lambda: _about(environ, bare_paths), traceparent=traceparent) as answered:

                def started(status: str, headers: Headers, *failure: object) -> object:
                    answered(int(status[:3]))
                    return start_response(status, headers, *failure)

                return application(environ, started)

        return answer

    return decorate


def _about(environ: Environ, bare_paths: Collection[str]) -> tuple[str, Attributes]:
    """Return the span's name from the route, never the path: paths may hold a dashboard token."""
    sent = environ["REQUEST_METHOD"]
    method = sent if sent in _METHODS else "_OTHER"
    route = route_of(environ.get("PATH_INFO", ""), bare_paths)
    if route is None:
        return method, {"http.request.method": method}
    return f"{method} {route}", {"http.request.method": method, "http.route": route}


def route_of(path: str, bare_paths: Collection[str]) -> str | None:
    """Return the pattern that answers a path, None where none does."""
    if path in bare_paths:
        return path
    try:
        return f"/{resolve(path).route}"
    except Resolver404:
        return None
