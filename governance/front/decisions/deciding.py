"""Decisions in the loop: read, one statement in the pipeline, concluded when its row is there. Nothing here waits.

What would wait goes to a pool, with the row that has been read: a question no memo knows, a policy bundle this process
has not loaded. Where the database is away the whole request goes there. A database that hangs is an answer (503) after
a second, as it is in a thread.
"""

import logging
import selectors
from collections.abc import Callable
from typing import Protocol

from psycopg.pq.abc import PGresult

from common.waiting.no_wait import WouldWait
from governance.front import limits
from governance.front.decisions.halves import Begin, Begun
from governance.front.decisions.pipeline import Pipeline, PipelineLost
from governance.front.messages.answers import Answer, Environ, Started
from governance.front.messages.refusals import failed

logger = logging.getLogger(__name__)
Work = Callable[[], Answer]
Done = Callable[[Answer | Work | None], None]


class Renewal(Protocol):
    """Where the loop's connections to the database come from."""

    def pipeline(self) -> Pipeline | None:
        """Return a new one if there is one; else have it made by a thread that may wait."""


class Deciding:
    """Answers requests in halves.

    ``done`` is called with the answer; with the work that is left, for a thread that may wait; or with None where such
    a thread has to begin anew.
    """

    def __init__(self, begin: Begin, renewal: Renewal, selector: selectors.BaseSelector) -> None:
        self._begin, self._renewal, self._selector = begin, renewal, selector
        self._pipeline: Pipeline | None = None
        self._renew_at = 0.0

    def answer(self, environ: Environ, done: Done, *, now: float) -> None:
        """Begin a request; ``done`` is called at once or in a later turn."""
        begun = self._begun(environ)
        if isinstance(begun, Answer) or begun is None:
            done(begun)
            return
        pipeline = self._pipeline or self._renewed(now)
        if pipeline is None:
            done(None)
            return
        try:
            pipeline.send(begun.statement, begun.parameters(), _Concluding(begun, environ, done), now=now)
        except PipelineLost:
            self._lose()
            done(None)

    def flush(self) -> None:
        """Send the statements of this turn."""
        if self._pipeline is not None:
            try:
                self._pipeline.flush()
            except PipelineLost:
                self._lose()

    def sweep(self, now: float) -> None:
        """Give up a database that does not answer."""
        oldest = None if self._pipeline is None else self._pipeline.oldest()
        if oldest is not None and now - oldest > limits.STATEMENT_S:
            logger.warning("The database does not answer the loop in time; the connection is replaced")
            self._lose(is_late=True)

    def is_waiting(self) -> bool:
        """Say whether requests wait for the database."""
        return self._pipeline is not None and self._pipeline.oldest() is not None

    def close(self) -> None:
        """Close the connection."""
        self._lose()

    def _begun(self, environ: Environ) -> Begun | Answer | None:
        started = Started()
        try:
            begun = self._begin(environ, started)
            return started.whole(begun, environ) if isinstance(begun, list) else begun
        except WouldWait:
            return None
        except Exception:
            logger.exception("A request could not be read")
            return failed().answer()

    def _readable(self) -> None:
        if self._pipeline is None:
            return
        try:
            self._pipeline.receive()
        except PipelineLost:
            self._lose()

    def _renewed(self, now: float) -> Pipeline | None:
        if now < self._renew_at:
            return None
        self._pipeline = self._renewal.pipeline()
        if self._pipeline is None:
            self._renew_at = now + limits.RENEW_S
        else:
            self._selector.register(self._pipeline.descriptor, selectors.EVENT_READ, self._readable)
        return self._pipeline

    def _lose(self, *, is_late: bool = False) -> None:
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is None:
            return
        self._selector.unregister(pipeline.descriptor)
        for waiter in pipeline.give_up():
            waiter.late() if is_late else waiter.lost()


class _Concluding:
    """A request whose statement is under way (``pipeline.Waiter``)."""

    __slots__ = ("_begun", "_done", "_environ")

    def __init__(self, begun: Begun, environ: Environ, done: Done) -> None:
        self._begun, self._environ, self._done = begun, environ, done

    def take(self, result: PGresult) -> None:
        """Answer out of the result."""
        self._conclude(result)

    def late(self) -> None:
        """Answer that the database does not."""
        self._conclude(None)

    def lost(self) -> None:
        """Have a pool ask again."""
        self._done(None)

    def _conclude(self, result: PGresult | None) -> None:
        try:
            answer = self._concluded(result)
        except WouldWait:
            self._done(lambda: self._concluded(result))
        except Exception:
            logger.exception("An answer failed")
            self._done(failed().answer())
        else:
            self._done(answer)

    def _concluded(self, result: PGresult | None) -> Answer:
        started = Started()
        return started.whole(self._begun.conclude(result, started), self._environ)
