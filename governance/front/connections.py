"""One connection: read a request whole, have it answered, write the answer, and again.

Everything here runs in the loop's thread and never waits. ``deadline`` is when the sweeper ends what goes on now.
"""

import logging
import selectors
import socket
import struct
from enum import Enum
from typing import Protocol

from governance.front import limits
from governance.front.classes import WorkClass
from governance.front.messages.answers import Answer
from governance.front.messages.bodies import Body, too_large
from governance.front.messages.outgoing import Outgoing
from governance.front.messages.reading import Head, RequestReader
from governance.front.messages.refusals import Refusal
from governance.front.pools import Job

logger = logging.getLogger(__name__)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_RESET = struct.pack("ii", 1, 0)
_NEVER = float("inf")
_NOT_WITH_BODY = frozenset({204, 304})


class Phase(Enum):
    """What a connection is waiting for."""

    IDLE = "the first byte of a request"
    HEAD = "the rest of a head"
    BODY = "the rest of a body"
    BUSY = "the answer"
    WRITING = "the client to take the answer"
    LINGERING = "the client to read a refusal"
    CLOSED = "nothing"


class Owner(Protocol):
    """What a connection asks of the loop."""

    selector: selectors.BaseSelector
    now: float
    is_draining: bool

    def class_of(self, path: str) -> WorkClass: ...
    def dispatch(self, connection: "Connection", head: Head, body: Body, work: WorkClass) -> None: ...
    def later(self, connection: "Connection") -> None: ...
    def expire(self, connection: "Connection") -> None: ...
    def forget(self, connection: "Connection") -> None: ...
    def count_own(self, work: WorkClass | None, answer: Answer) -> None: ...
    def for_reader(self, answer: Answer, head: Head, work: WorkClass, /) -> Answer: ...


class Connection:
    """A client's connection."""

    def __init__(self, owner: Owner, channel: socket.socket, peer: str) -> None:
        self._owner, self._channel, self.peer = owner, channel, peer
        self._reader = RequestReader()
        self._head: Head | None = None
        self._body: Body | None = None
        self._work: WorkClass | None = None
        self._outgoing: Outgoing | None = None
        self._answer: Answer | None = None
        self._events = 0
        self._ends = False
        self.job: Job | None = None
        self.phase = Phase.IDLE
        self.since = owner.now
        self.deadline = owner.now + limits.IDLE_S
        self._watch(selectors.EVENT_READ)

    def on_event(self) -> None:
        """Do what can be done now; an error in it ends this connection and no other."""
        try:
            self._go_on()
        except Exception:
            logger.exception("A connection failed")
            self.close(reset=True)

    def _go_on(self) -> None:
        if self.phase is Phase.WRITING:
            self._write()
        elif self.phase is Phase.LINGERING:
            self._discard()
        elif self.phase is Phase.BUSY:
            # What a client sends while it waits stays with the kernel.
            self._watch(0)
        elif self.phase is not Phase.CLOSED:
            self._read()

    def _read(self) -> None:
        try:
            data = self._channel.recv(limits.READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._reader.feed(data)
        self._advance()

    def _advance(self) -> None:
        """Go on with what has arrived, as far as it goes."""
        try:
            if self._head is None and not self._begin():
                return
            if self._reader.read_body():
                self._dispatch()
            elif self._body is not None:
                self.deadline = self.since + limits.BODY_S + self._body.size / limits.SLOWEST_BYTES_PER_S
        except Refusal as refusal:
            self.refuse(refusal)

    def _begin(self) -> bool:
        """Take a head, if it is whole; say whether it is."""
        head = self._reader.read_head()
        if head is None:
            if self.phase is Phase.IDLE and self._reader.has_more():
                self._enter(Phase.HEAD, limits.HEAD_S)
            return False
        self._head = head
        self._work = self._owner.class_of(head.target.path)
        if head.length > self._work.body_bytes:
            raise too_large(self._work.body_bytes)
        self._body = Body(self._work.body_bytes)
        self._reader.expect_body(self._body)
        if head.is_chunked or head.length:
            self._enter(Phase.BODY, limits.BODY_S)
            if head.awaits_continue() and not self._reader.has_more():
                # A hundred bytes always find room in the buffer of a connection that has sent nothing yet.
                self._channel.send(_CONTINUE)
        return True

    def _enter(self, phase: Phase, seconds: float) -> None:
        self.phase, self.since = phase, self._owner.now
        self.deadline = self.since + seconds

    def _dispatch(self) -> None:
        head, body, work = self._head, self._body, self._work
        assert head is not None and body is not None and work is not None  # noqa: S101, PT018 (for mypy)
        self.phase, self.deadline = Phase.BUSY, _NEVER
        self._owner.dispatch(self, head, body, work)

    def wait_for(self, job: Job) -> None:
        """Expect the answer of a pool: until then the client is neither read nor looked at."""
        self.job = job
        self.deadline = self._owner.now + limits.QUEUE_S
        self._watch(0)

    def answer(self, answer: Answer) -> None:
        """Send the answer to the request that was given away; drop it where the client is gone."""
        self.job = None
        head = self._head
        if self.phase is not Phase.BUSY or head is None:
            answer.close()
            self._release()
            return
        keep_alive = head.keep_alive and not self._owner.is_draining and not self._reader.is_over()
        self._send(answer, keep_alive=keep_alive)

    def refuse(self, refusal: Refusal) -> None:
        """Answer what is no request, or comes too slowly; the connection ends with it."""
        self._send(refusal.answer(), keep_alive=False)

    def _send(self, answer: Answer, *, keep_alive: bool) -> None:
        head = self._head
        if answer.own_code and head and self._work:
            answer = self._owner.for_reader(answer, head, self._work)
        self._answer = answer
        if answer.own_code is not None:
            self._owner.count_own(self._work, answer)
        self._ends = not keep_alive
        text = answer.head(keep_alive=keep_alive, http_1_0=bool(head and head.http_1_0))
        with_body = answer.status not in _NOT_WITH_BODY and not (head and head.method == "HEAD")
        self._outgoing = Outgoing(text, answer, with_body=with_body, now=self._owner.now)
        self.phase, self.since = Phase.WRITING, self._owner.now
        self._write()

    def _write(self) -> None:
        outgoing = self._outgoing
        if outgoing is None:
            return
        try:
            is_sent = outgoing.send(self._channel)
        except OSError:
            self.close()
            return
        if is_sent:
            self._after_answer()
        else:
            outgoing.moved(self._owner.now)
            self.deadline = outgoing.ends_at()
            self._watch(selectors.EVENT_WRITE)

    def _after_answer(self) -> None:
        is_whole = self._reader.finished()
        self._release()
        if self._ends:
            self._end(is_whole=is_whole)
            return
        self._reader.next_request()
        self._enter(Phase.IDLE, limits.IDLE_S)
        self._watch(selectors.EVENT_READ)
        if self._reader.has_more():
            self._owner.later(self)

    def go_on(self) -> None:
        """Take the next request out of what has arrived with the one before."""
        if self.phase is Phase.IDLE:
            self._advance()

    def _release(self) -> None:
        """Drop the request and the answer."""
        if self._body is not None:
            self._body.close()
        if self._answer is not None:
            self._answer.close()
        self._head = self._body = self._work = self._outgoing = self._answer = None

    def _end(self, *, is_whole: bool) -> None:
        """Close, after reading on for a moment where more may be under way: it would reset what was just sent."""
        if is_whole and not self._reader.has_more():
            self.close()
            return
        try:
            self._channel.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        self._enter(Phase.LINGERING, limits.LINGER_S)
        self._watch(selectors.EVENT_READ)

    def _discard(self) -> None:
        try:
            if not self._channel.recv(limits.READ_BYTES):
                self.close()
        except BlockingIOError:
            return
        except OSError:
            self.close()

    def end_when_idle(self) -> None:
        """Take what has arrived, and close where that is nothing: the process ends."""
        if self.phase is Phase.IDLE:
            self._read_last()

    def _read_last(self) -> None:
        self._read()
        if self.phase is Phase.IDLE:
            self.close()

    def held(self) -> int:
        """Return how many bytes are kept for this client, in memory or on disk."""
        answer, body = self._answer, self._body
        return (0 if answer is None else answer.size()) + (0 if body is None else body.size)

    def overdue(self) -> None:
        """End what took too long."""
        if self.phase in (Phase.HEAD, Phase.BODY):
            self.refuse(Refusal(408, "request_timeout", "The request did not arrive in time."))
        elif self.phase is Phase.BUSY:
            self._give_up_waiting()
        else:
            self.close(reset=self.phase is Phase.WRITING)

    def _give_up_waiting(self) -> None:
        job, self.deadline = self.job, _NEVER
        if job is not None and job.claim():
            self._owner.expire(self)

    def close(self, *, reset: bool = False) -> None:
        """Let the client go; ``reset`` drops what it has not taken."""
        if self.phase is Phase.CLOSED:
            return
        self.phase, self.deadline = Phase.CLOSED, _NEVER
        self._watch(0)
        if reset:
            self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._channel.close()
        if self.job is None:
            # Else a thread may still read the body.
            self._release()
        self._reader.close()
        self._owner.forget(self)

    def _watch(self, events: int) -> None:
        if events == self._events:
            return
        selector = self._owner.selector
        if not events:
            selector.unregister(self._channel)
        elif self._events:
            selector.modify(self._channel, events, self.on_event)
        else:
            selector.register(self._channel, events, self.on_event)
        self._events = events
