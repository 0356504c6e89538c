"""GET /.well-known/authzen-configuration: the endpoints' addresses, without a credential.

Every URL comes from the setting PUBLIC_URL and none from the request: a caller cannot make this installation speak for
another host. Parameters without a value are left out, and so are endpoints that do not exist.
"""

import msgspec
from django.conf import settings

from policies.endpoints import wsgi
from policies.endpoints.wsgi import Environ, Refused

PATH = "/.well-known/authzen-configuration"
_ENDPOINTS = {
    "access_evaluation_endpoint": "/access/v1/evaluation",
    "access_evaluations_endpoint": "/access/v1/evaluations",
    "search_subject_endpoint": "/access/v1/search/subject",
    "search_resource_endpoint": "/access/v1/search/resource",
    "search_action_endpoint": "/access/v1/search/action",
}
_MAX_AGE_S = 300


def _answer(environ: Environ) -> wsgi.Reply:
    """Answer without a credential."""
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        raise Refused(405, "method_not_allowed", "Use GET.")
    return 200, msgspec.json.encode(document())


def document() -> dict[str, str]:
    endpoints = {name: f"{settings.PUBLIC_URL}{path}" for name, path in _ENDPOINTS.items()}
    return {"policy_decision_point": settings.PUBLIC_URL, **endpoints}


application = wsgi.endpoint(_answer, allow="GET, HEAD", cache_control=f"public, max-age={_MAX_AGE_S}")
