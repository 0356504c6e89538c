"""GET /.well-known/authzen-configuration: the endpoints' addresses, without a credential.

Every URL comes from the setting PUBLIC_URL and none from the request: a caller cannot make this installation speak for
another host. Parameters without a value are left out, and so are endpoints that do not exist.
"""

import msgspec
from django.conf import settings

from policies.endpoints import wsgi
from policies.endpoints.wsgi import Environ, Refused, StartResponse

PATH = "/.well-known/authzen-configuration"
_ENDPOINTS = {
    "access_evaluation_endpoint": "/access/v1/evaluation",
    "access_evaluations_endpoint": "/access/v1/evaluations",
    "search_subject_endpoint": "/access/v1/search/subject",
    "search_resource_endpoint": "/access/v1/search/resource",
    "search_action_endpoint": "/access/v1/search/action",
}
_MAX_AGE_S = 300


def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer without a credential."""
    headers = wsgi.common_headers(environ)
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        refused = Refused(405, "method_not_allowed", "Use GET.")
        return wsgi.refuse(refused, headers, start_response, allow="GET, HEAD")
    headers = [
        ("Cache-Control", f"public, max-age={_MAX_AGE_S}"),
        *((name, value) for name, value in headers if name != "Cache-Control"),
    ]
    answered = wsgi.respond(200, msgspec.json.encode(document()), headers, start_response)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else answered


def document() -> dict[str, str]:
    endpoints = {name: f"{settings.PUBLIC_URL}{path}" for name, path in _ENDPOINTS.items()}
    return {"policy_decision_point": settings.PUBLIC_URL, **endpoints}
