"""GET /.well-known/authzen-configuration: the endpoints' addresses, without a credential.

Every URL begins with the setting PUBLIC_URL; where that is http, its host is exchanged for the one the request named,
if ALLOWED_HOSTS lists it (docs/decisions/0027). A caller cannot make this installation speak for another host.
Parameters without a value are left out, and so are endpoints that do not exist.
"""

from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.http.request import split_domain_port

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
    return 200, msgspec.json.encode(document(_base_url(environ.get("HTTP_HOST", ""))))


def _base_url(asked: str) -> str:
    """Return the identifier of this decision point as the caller knows it.

    Behind TLS there is a proxy, and which Host it passes on says nothing of the name its callers used.
    """
    public = urlsplit(settings.PUBLIC_URL)
    name, port = split_domain_port(asked)
    if public.scheme != "http" or name not in settings.ALLOWED_HOSTS:
        return str(settings.PUBLIC_URL)
    return public._replace(netloc=f"{name}:{port}" if port else name).geturl()


def document(base_url: str) -> dict[str, str]:
    endpoints = {name: f"{base_url}{path}" for name, path in _ENDPOINTS.items()}
    return {"policy_decision_point": base_url, **endpoints}


application = wsgi.endpoint(_answer, allow="GET, HEAD", cache_control=f"public, max-age={_MAX_AGE_S}")
