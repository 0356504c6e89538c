"""What Django needs of the front's threads: each has a connection of its own to the database, and the loop never waits.

The loop's connection is made by another thread and speaks libpq alone; any other use of Django's connection in the loop
raises ``WouldWait``.
"""

import logging
import threading
from typing import NoReturn

import psycopg
from django.db import connections

from common.waiting import no_wait
from common.waiting.no_wait import WouldWait
from governance.front.decisions.pipeline import Pipeline

logger = logging.getLogger(__name__)
_ALIAS = "default"


class DjangoThreads:
    """Implements ``loop.Threads`` and ``deciding.Renewal``."""

    def __init__(self) -> None:
        self._made: Pipeline | None = None
        self._maker: threading.Thread | None = None

    def enter_loop(self) -> None:
        """Let the calling thread never wait, after the first connection is made."""
        self._make()
        no_wait.forbid()
        # Nothing connects in this thread, so nothing executes either.
        connections[_ALIAS].connect = _refuse  # type: ignore[method-assign]

    def pipeline(self) -> Pipeline | None:
        """Return a new connection if there is one; else have it made."""
        made, self._made = self._made, None
        if made is None and (self._maker is None or not self._maker.is_alive()):
            self._maker = threading.Thread(target=self._make, name="front-renew", daemon=True)
            self._maker.start()
        return made

    def leave_loop(self) -> None:
        """Close a connection that was made and not taken."""
        if self._maker is not None:
            self._maker.join()
        made, self._made = self._made, None
        if made is not None:
            made.give_up()

    def thread_ends(self) -> None:
        """Close the connection of a thread that ends."""
        connections.close_all()

    def _make(self) -> None:
        wrapper = connections.create_connection(_ALIAS)
        try:
            # Without ``connect``, which would begin a transaction block of Django's own.
            connection = wrapper.get_new_connection(wrapper.get_connection_params())
        except psycopg.Error:
            logger.warning("The database cannot be reached for the loop; pools answer in its place")
        else:
            self._made = Pipeline(connection)


def _refuse() -> NoReturn:
    raise WouldWait
