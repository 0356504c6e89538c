"""Settings of an instance started by ``./assent up`` or ``./assent demo``: one machine, loopback only."""

from governance.settings.base import *  # noqa: F403
