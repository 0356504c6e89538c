"""One process that serves: the loop around the application, on a listening socket it was given."""

import importlib
import os
import signal
import socket
import sys
from typing import Any

from governance.front.classes import Routing
from governance.front.listening import Shares
from governance.front.loop import Front, Threads
from governance.front.messages.answers import Application

_OFFERED = ("begin", "watch_pools", "count_own", "for_reader")
PARENT = 0  # standard input: a pipe whose other end is the supervisor's


class PlainThreads:
    """Threads of an application that needs nothing of them."""

    def enter_loop(self) -> None:
        """Do nothing."""

    def pipeline(self) -> None:
        """Return none: there is no database."""

    def leave_loop(self) -> None:
        """Do nothing."""

    def thread_ends(self) -> None:
        """Do nothing."""


def serve(name: str, listener: socket.socket, shares: Shares) -> None:
    """Serve the application called ``module:attribute`` until SIGTERM, or until the supervisor is gone."""
    # Before the application is loaded, which takes a second: a signal then ends the process as ever.
    application, offered = _loaded(name)
    front = Front(application, listener, routing=_routing(), threads=_threads(), shares=shares, **offered)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: front.stop())
    if _has_supervisor():
        front.watch(PARENT, front.stop)
    front.run()


def _loaded(name: str) -> tuple[Application, dict[str, Any]]:
    """Return the application, and what its module offers: requests in halves, a look at the pools, a count, pages."""
    module_name, _, attribute = name.partition(":")
    module = importlib.import_module(module_name)
    return getattr(module, attribute), {name: getattr(module, name) for name in _OFFERED if hasattr(module, name)}


def _is_django() -> bool:
    return "django.db" in sys.modules


def _threads() -> Threads:
    if not _is_django():
        return PlainThreads()
    from governance.front.django_threads import DjangoThreads

    return DjangoThreads()


def _routing() -> Routing:
    if not _is_django():
        return Routing(opa_waiters=0)
    from django.conf import settings

    return Routing(opa_waiters=settings.OPA_LONG_POLL_WAITERS)


def _has_supervisor() -> bool:
    return os.environ.get("ASSENT_FRONT_SUPERVISED") == "1"
