"""Answers in two halves around the one statement of the hot endpoints: what is read before it, what is made of its row.

A thread that waits runs the halves one after the other (``waiting``). The loop of ``governance.front`` does not wait:
it sends the statements of many requests together and concludes each when its row is there.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from psycopg.pq.abc import PGresult

from common.postgres.prepared import PreparedStatement
from policies.decisions import information
from policies.decisions.information import InformationUnavailable
from policies.endpoints import wsgi
from policies.endpoints.wsgi import Environ, Reply, StartResponse

_Known = TypeVar("_Known")
_Read = TypeVar("_Read", covariant=True)


class Asked(Protocol[_Read]):
    """One execution of a statement, and the reading of its row (``information.Wanted``)."""

    @property
    def statement(self) -> PreparedStatement: ...
    def parameters(self) -> Sequence[bytes]: ...
    def known(self, result: PGresult) -> _Read:
        """Read the row. Raises msgspec.MsgspecError for one that makes no sense."""


class Begun(Generic[_Known]):
    """A request that has been read.

    ``make`` returns the body out of what is known, or out of None where the database has not answered; it may raise
    problems and SpoolFull.
    """

    __slots__ = ("_environ", "_make", "asked", "parameters", "statement")

    def __init__(self, environ: Environ, asked: Asked[_Known], make: Callable[[_Known | None], bytes]) -> None:
        self.asked, self.statement, self.parameters = asked, asked.statement, asked.parameters
        self._environ, self._make = environ, make

    def conclude(self, result: PGresult | None, start_response: StartResponse) -> list[bytes]:
        """Answer out of the statement's result; None: the database has not answered in time."""
        return wsgi.answer_with(self._reply_from, result, self._environ, start_response)

    def reply(self, known: _Known | None) -> Reply:
        """Return the reply out of what is known; None: nothing is. Raises as ``make``."""
        return 200, self._make(known)

    def _reply_from(self, result: PGresult | None) -> Reply:
        try:
            known = None if result is None else self.asked.known(result)
        except msgspec.MsgspecError:
            known = None
        return self.reply(known)


def waiting(begin: Callable[[Environ], Begun[Any]]) -> Callable[[Environ], Reply]:
    """Return what ``wsgi.endpoint`` takes: both halves at once, waiting for the statement."""

    def answer(environ: Environ) -> Reply:
        begun = begin(environ)
        try:
            known = information.asked(begun.statement, begun.parameters(), begun.asked.known)
        except InformationUnavailable:
            return begun.reply(None)
        return begun.reply(known)

    return answer
