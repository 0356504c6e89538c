"""Environment variables of an instance's processes."""

import os
from pathlib import Path

from governance.launcher.home.home import Home
from governance.launcher.servers.external_servers import ExternalServers
from governance.launcher.servers.postgres import PostgresServer
from governance.launcher.servers.valkey import ValkeyServer

CHECKOUT = Path(__file__).resolve().parents[3]
SETTINGS_MODULE = "governance.settings.local"
# One thread each: two cores serve many small requests, and numerical libraries would start a thread a core.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def instance_environment(home: Home, *, port: int, external: ExternalServers) -> dict[str, str]:
    """Return the variables for ``home`` served on ``port``, on top of the launcher's own.

    The instance's own secrets and settings win over strays; PUBLIC_URL may be set from outside, for an
    instance behind a proxy.
    """
    return {
        "PUBLIC_URL": f"http://localhost:{port}",
        **os.environ,
        **_ONE_THREAD,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(CHECKOUT),
        "DJANGO_SETTINGS_MODULE": SETTINGS_MODULE,
        "DATABASE_URL": external.database_url or PostgresServer(home).url,
        "BROKER_URL": external.broker_url or ValkeyServer(home).url,
        **home_variables(home),
    }


def home_variables(home: Home) -> dict[str, str]:
    """Return the variables that name the home and the files of its secrets."""
    return {
        "ASSENT_HOME": str(home.path),
        "SECRET_KEY_FILE": str(home.secret_file("secret_key")),
        "SUBJECT_KEY_FILE": str(home.secret_file("subject_key")),
    }
