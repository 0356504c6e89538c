"""An answer on its way to a client who takes it at a pace of its own."""

import socket
from typing import IO

from governance.front import limits
from governance.front.messages.answers import Answer


class Outgoing:
    """What is left of an answer. Sending never waits."""

    __slots__ = ("_file", "_pending", "deadline", "stalls_at")

    def __init__(self, head: bytes, answer: Answer, *, with_body: bool, now: float) -> None:
        self._pending: bytes | memoryview = head + answer.body if with_body else head
        self._file: IO[bytes] | None = answer.file if with_body else None
        self.stalls_at = now + limits.WRITE_STALL_S
        self.deadline = now + limits.WRITE_STALL_S + answer.size() / limits.SLOWEST_BYTES_PER_S

    def send(self, to: socket.socket) -> bool:
        """Send what the kernel takes; say whether all is sent. Raises OSError where the client is gone."""
        while True:
            if not self._pending:
                self._pending = self._file.read(limits.WRITE_BYTES) if self._file is not None else b""
                if not self._pending:
                    return True
            try:
                sent = to.send(self._pending)
            except BlockingIOError:
                return False
            if sent == len(self._pending):
                self._pending = b""
            else:
                self._pending = memoryview(self._pending)[sent:]

    def moved(self, now: float) -> None:
        """Take note that the client took something."""
        self.stalls_at = now + limits.WRITE_STALL_S

    def ends_at(self) -> float:
        """Return when the front gives up on the client."""
        return min(self.stalls_at, self.deadline)
