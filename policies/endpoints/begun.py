"""Answers in two halves around the one statement of the hot endpoints: what is read before it, what is made of its row.

A thread that waits runs the halves one after the other (``waiting``). The loop of ``governance.front`` does not wait:
it sends the statements of many requests together and concludes each when its row is there.
"""

from collections.abc import Callable

import msgspec
from psycopg.pq.abc import PGresult

from policies.decisions import information
from policies.decisions.information import Information, InformationUnavailable, Wanted
from policies.endpoints import wsgi
from policies.endpoints.wsgi import Environ, Refused, Reply, StartResponse


class Begun:
    """A request that has been read. ``make`` returns the body out of what is known; it may raise Refused, SpoolFull."""

    __slots__ = ("_environ", "_make", "_unavailable", "wanted")
    statement = information.STATEMENT

    def __init__(
        self,
        environ: Environ,
        wanted: Wanted,
        make: Callable[[Information], bytes],
        *,
        unavailable: Callable[[], Refused],
    ) -> None:
        self.wanted = wanted
        self._environ, self._make, self._unavailable = environ, make, unavailable

    def parameters(self) -> tuple[bytes, ...]:
        """Return what ``statement`` is executed with."""
        return self.wanted.parameters()

    def conclude(self, result: PGresult | None, start_response: StartResponse) -> list[bytes]:
        """Answer out of the statement's result; None: the database has not answered in time."""
        return wsgi.answer_with(self._reply_from, result, self._environ, start_response)

    def reply(self, known: Information | None) -> Reply:
        """Return the reply out of what is known; None: nothing is. Raises Refused and SpoolFull."""
        if known is None:
            raise self._unavailable()
        return 200, self._make(known)

    def _reply_from(self, result: PGresult | None) -> Reply:
        try:
            known = None if result is None else self.wanted.information(result)
        except msgspec.MsgspecError:
            known = None
        return self.reply(known)


def waiting(begin: Callable[[Environ], Begun]) -> Callable[[Environ], Reply]:
    """Return what ``wsgi.endpoint`` takes: both halves at once, waiting for the statement."""

    def answer(environ: Environ) -> Reply:
        begun = begin(environ)
        wanted = begun.wanted
        try:
            known = information.read(wanted.subject_ref, wanted.token_hash, wanted.scope)
        except InformationUnavailable:
            return begun.reply(None)
        return begun.reply(known)

    return answer
