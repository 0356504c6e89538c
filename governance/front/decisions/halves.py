"""What a module of the application may offer besides the WSGI callable: requests in two halves around one statement."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from psycopg.pq.abc import PGresult

from governance.front.decisions.pipeline import Statement
from governance.front.messages.answers import Environ


class Begun(Protocol):
    """A request that has been read (``policies.endpoints.begun``)."""

    statement: Statement

    def parameters(self) -> Sequence[bytes | None]: ...
    def conclude(self, result: PGresult | None, start_response: Callable[..., Any]) -> list[bytes]: ...


# Begun, or refused at once, or (None) a request that the application answers whole.
Begin = Callable[[Environ, Callable[..., Any]], Begun | list[bytes] | None]
