"""The loop of one process: it accepts, reads, answers what must not wait, writes, and ends what takes too long."""

import logging
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from governance.front import limits
from governance.front.classes import LIVENESS, Place, Routing, WorkClass
from governance.front.connections import Connection
from governance.front.decisions.deciding import Deciding, Work
from governance.front.decisions.halves import Begin
from governance.front.decisions.pipeline import Pipeline
from governance.front.listening import Listening, Shares, alone
from governance.front.messages.answers import Answer, Application, Environ, call
from governance.front.messages.bodies import Body
from governance.front.messages.environs import Environs
from governance.front.messages.reading import Head
from governance.front.messages.refusals import busy, failed
from governance.front.pools import Job, Pool
from governance.front.sweeping import holding_too_much, most_connections, overdue, to_shed

logger = logging.getLogger(__name__)


CountOwn = Callable[[str, int, str], None]
# An answer of the front itself, in the form that the reader of the request's answer expects.
ForReader = Callable[[Answer, Head, WorkClass], Answer]
UNREAD = "front:unread"  # a request without a whole head belongs to no class
_LIVE_ROUTE = "/health/live"


class Threads(Protocol):
    """What the application needs to know of the front's threads."""

    def enter_loop(self) -> None:
        """Prepare the calling thread, which is the loop's: from now on it must not wait."""

    def pipeline(self) -> Pipeline | None:
        """Return a connection for the loop if there is one; else have it made by a thread that may wait."""

    def leave_loop(self) -> None:
        """Give back what was made for the loop."""

    def thread_ends(self) -> None:
        """Give back what the calling thread, one of a pool, holds."""


class Front:
    """Serves ``application`` on ``listener`` until ``stop``."""

    def __init__(
        self,
        application: Application,
        listener: socket.socket,
        *,
        routing: Routing,
        threads: Threads,
        begin: Begin | None = None,
        watch_pools: Callable[[Mapping[str, Pool]], None] = lambda _pools: None,
        count_own: CountOwn = lambda _route, _status, _code: None,
        for_reader: ForReader = lambda answer, _head, _work: answer,
        shares: Shares | None = None,
    ) -> None:
        self.selector: selectors.BaseSelector = selectors.DefaultSelector()
        self.now = time.monotonic()
        self.is_draining = False
        self.class_of = routing.class_of
        self._application, self._hooks = application, threads
        self._deciding = Deciding(begin or _nothing, threads, self.selector)
        host, port = listener.getsockname()[:2]
        self._environs = Environs(host, port)
        self._connections: set[Connection] = set()
        self._listening = Listening(
            listener,
            self.selector,
            shares or alone(),
            count=lambda: len(self._connections),
            accepted=self._accepted,
        )
        self._ready: deque[Connection] = deque()
        self._done: deque[tuple[Connection, Answer]] = deque()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._pools = {
            work.name: Pool(work.name, threads=work.threads, queue=work.queue, on_thread_end=threads.thread_ends)
            for work in routing.pooled
        }
        self._watch_pools, self._count_own, self.for_reader = watch_pools, count_own, for_reader
        self._most_connections = most_connections()
        self._drain_ends = 0.0
        self._stop_requested = False
        self._sweep_at = 0.0

    def run(self) -> None:
        """Serve until ``stop`` and all that was accepted is answered. Called in the main thread."""
        self._hooks.enter_loop()
        for channel in (self._wake_reader, self._wake_writer):
            channel.setblocking(False)
        self._listening.begin()
        self.selector.register(self._wake_reader, selectors.EVENT_READ, self._woken)
        try:
            while not self._is_over():
                self._turn()
        finally:
            self._close()

    def stop(self) -> None:
        """Answer what is accepted, then end; may be called from a signal handler and from other threads."""
        self._stop_requested = True
        self._wake()

    def watch(self, descriptor: int, on_event: Callable[[], None]) -> None:
        """Have ``on_event`` called once when there is something to read."""

        def happened() -> None:
            self.selector.unregister(descriptor)
            on_event()

        self.selector.register(descriptor, selectors.EVENT_READ, happened)

    # What connections ask for.

    def dispatch(self, connection: Connection, head: Head, body: Body, work: WorkClass) -> None:
        """Have a whole request answered."""
        if work.place is Place.CONSTANT:
            connection.answer(_liveness(head.method))
            return
        if work.place is Place.LOOP and body.size <= limits.LOOP_BODY_BYTES:

            def done(outcome: Answer | Work | None) -> None:
                if isinstance(outcome, Answer):
                    connection.answer(outcome)
                else:
                    whole = self._whole(connection, head, body)
                    self._submit(connection, _while_fresh(outcome, whole, self.now) if outcome else whole, work)

            self._deciding.answer(self._environ(connection, head, body), done, now=self.now)
        else:
            self._submit(connection, self._whole(connection, head, body), work)

    def later(self, connection: Connection) -> None:
        """Go on with the connection's next request in the next turn, after those of others."""
        self._ready.append(connection)

    def expire(self, connection: Connection) -> None:
        """Answer a request that no thread has taken in time."""
        connection.answer(busy().answer())

    def forget(self, connection: Connection) -> None:
        """Know a closed connection no more."""
        self._connections.discard(connection)
        if not self.is_draining:
            self._listening.changed()

    def count_own(self, work: WorkClass | None, answer: Answer) -> None:
        """Count an answer that no application made, by the class of its request: a path is anything a client sends."""
        route = UNREAD if work is None else f"front:{work.name}"
        self._count_own(_LIVE_ROUTE if work is LIVENESS else route, answer.status, answer.own_code or "")

    def _environ(self, connection: Connection, head: Head, body: Body) -> Environ:
        return self._environs.environ(head, body.stream(), body.size, connection.peer)

    def _whole(self, connection: Connection, head: Head, body: Body) -> Work:
        environ = self._environ(connection, head, body)
        return lambda: call(self._application, environ)

    def _submit(self, connection: Connection, make: Work, work: WorkClass) -> None:
        def run() -> None:
            try:
                answer = make()
            except Exception:
                logger.exception("An answer failed")
                answer = failed().answer()
            self._done.append((connection, answer))
            self._wake()

        job = Job(run)
        if self._pools[work.name].submit(job):
            connection.wait_for(job)
        else:
            connection.answer(busy().answer())

    # The turns.

    def _turn(self) -> None:
        events = self.selector.select(self._pause())
        self.now = time.monotonic()
        for key, _ in events:
            key.data()
        for _ in range(len(self._ready)):
            self._ready.popleft().go_on()
        self._deciding.flush()
        self._resume_listening()
        if self.now >= self._sweep_at:
            self._sweep()
        if self._stop_requested and not self.is_draining:
            self._drain()

    def _pause(self) -> float:
        if self._ready:
            return 0.0
        resumes_at = self._listening.resumes_at
        return limits.SWEEP_S if resumes_at is None else max(0.0, resumes_at - self.now)

    def _resume_listening(self) -> None:
        resumes_at = self._listening.resumes_at
        if resumes_at is not None and self.now >= resumes_at:
            if self._listening.lacks_room:
                self._shed()
            self._listening.resume()

    def _accepted(self, channel: socket.socket, peer: str) -> None:
        if len(self._connections) >= self._most_connections:
            self._shed()
        self._connections.add(Connection(self, channel, peer))
        self._listening.changed()

    def _shed(self) -> None:
        for connection in to_shed(self._connections):
            connection.close()

    def _woken(self) -> None:
        try:
            self._wake_reader.recv(4096)
        except BlockingIOError:
            return
        while self._done:
            connection, answer = self._done.popleft()
            connection.answer(answer)

    def _wake(self) -> None:
        try:
            self._wake_writer.send(b"\0")
        except (BlockingIOError, OSError):
            return  # it is full, so the loop wakes anyway; or closed, after the end of the loop

    def _sweep(self) -> None:
        self._sweep_at = self.now + limits.SWEEP_S
        self._deciding.sweep(self.now)
        self._watch_pools(self._pools)
        for connection in overdue(self._connections, self.now):
            connection.overdue()
        for connection in holding_too_much(self._connections):
            connection.close(reset=True)

    # The end.

    def _drain(self) -> None:
        """Take what has been accepted by now, and what has arrived on every connection; nothing more."""
        self._drain_ends = self.now + limits.DRAIN_S
        self._listening.end()
        self.is_draining = True
        for connection in list(self._connections):
            connection.end_when_idle()

    def _is_over(self) -> bool:
        return self.is_draining and (not self._connections or time.monotonic() > self._drain_ends)

    def _close(self) -> None:
        for connection in list(self._connections):
            connection.close()
        self._deciding.close()
        self._hooks.leave_loop()
        for pool in self._pools.values():
            pool.close()
        self.selector.close()
        self._listening.close()
        self._wake_reader.close()
        self._wake_writer.close()


def _nothing(_environ: Environ, _start_response: object) -> None:
    """Begin nothing: an application without halves is answered by its pools."""


def _while_fresh(rest: Work, whole: Work, read_at: float) -> Work:
    """Return what is left of a request, as long as its row is young; then it is answered out of a new one."""
    return lambda: rest() if time.monotonic() - read_at < limits.STATEMENT_S else whole()


_LIVE = b'{"status": "live"}'


def _liveness(method: str) -> Answer:
    """Return that this process turns; nothing else is asked."""
    if method not in ("GET", "HEAD"):
        return Answer(405, [("Allow", "GET, HEAD")], own_code="")
    return Answer(200, [("Content-Type", "application/json"), ("Cache-Control", "no-store")], _LIVE, own_code="")
