"""The WSGI entry: decision paths go to a bare callable, everything else to Django (docs/decisions/0002)."""

import os
from collections.abc import Iterable

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings.local")
_django = get_wsgi_application()

from policies import authzen  # noqa: E402 (models need the apps to be ready)


def application(environ: authzen.Environ, start_response: authzen.StartResponse) -> Iterable[bytes]:
    if environ.get("PATH_INFO", "").startswith(authzen.PREFIX):
        return authzen.application(environ, start_response)
    return _django(environ, start_response)  # type: ignore[arg-type]  # wsgiref's type names a third argument
