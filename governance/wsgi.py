"""The WSGI entry: decision paths go to a bare callable, everything else to Django (docs/decisions/0002)."""

import os
from collections.abc import Iterable

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings.local")
_django = get_wsgi_application()

from consent import api as consent_api  # noqa: E402 (models need the apps to be ready)
from policies import authzen, bare  # noqa: E402

_BARE = {
    "/api/v1/consents": bare.endpoint(consent_api.save, scope="consents"),
}


def application(environ: bare.Environ, start_response: bare.StartResponse) -> Iterable[bytes]:
    path = environ.get("PATH_INFO", "")
    if path.startswith(authzen.PREFIX):
        return authzen.application(environ, start_response)
    if path in _BARE:
        return _BARE[path](environ, start_response)
    return _django(environ, start_response)  # type: ignore[arg-type]  # wsgiref's type names a third argument
