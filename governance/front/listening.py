"""Accepting connections: a share of them, as the other processes have theirs, and always some.

The processes wait on one socket. One that has more connections than another leaves a new one to it for a moment:
without this, the process that wakes first has most of them, and keep-alive keeps it so.
"""

import mmap
import selectors
import socket
import struct
import time
from collections.abc import Callable

from governance.front import limits

_SLOT = struct.Struct("=I")
_ABSENT = 0xFFFFFFFF  # a process that does not accept: nothing is left to it
TABLE_BYTES = 4_096


class Shares:
    """How many connections each process has, in memory that they share."""

    def __init__(self, descriptor: int | None, slot: int, slots: int) -> None:
        self._table = mmap.mmap(-1 if descriptor is None else descriptor, TABLE_BYTES)
        self._slot, self._others = slot, [other for other in range(slots) if other != slot]

    def publish(self, connections: int) -> None:
        """Say how many connections this process has."""
        _SLOT.pack_into(self._table, self._slot * _SLOT.size, connections)

    def leave(self) -> None:
        """Say that this process accepts no more."""
        self.publish(_ABSENT)

    def is_ahead(self, connections: int) -> bool:
        """Say whether another process has fewer than these."""
        return any(_SLOT.unpack_from(self._table, other * _SLOT.size)[0] < connections for other in self._others)

    def close(self) -> None:
        """Give the memory back."""
        self._table.close()


def alone() -> Shares:
    """Return the shares of a process that has no others."""
    return Shares(None, 0, 1)


class Listening:
    """The listening socket in the loop; ``accepted`` is given each connection."""

    def __init__(
        self,
        listener: socket.socket,
        selector: selectors.BaseSelector,
        shares: Shares,
        *,
        count: Callable[[], int],
        accepted: Callable[[socket.socket, str], None],
    ) -> None:
        self._listener, self._selector, self._shares = listener, selector, shares
        self._count, self._accepted = count, accepted
        self._is_registered = self._has_waited = False
        self.resumes_at: float | None = None
        """When it accepts again after a pause; None where it does, or has ended."""
        self.lacks_room = False
        """Whether the pause is for want of descriptors."""

    def begin(self) -> None:
        """Listen."""
        self._listener.setblocking(False)
        self._listener.listen(limits.BACKLOG)
        self._shares.publish(0)
        self.resume()

    def resume(self) -> None:
        """Go on after a pause."""
        self.resumes_at, self.lacks_room = None, False
        if not self._is_registered:
            self._selector.register(self._listener, selectors.EVENT_READ, self._readable)
            self._is_registered = True

    def end(self) -> None:
        """Take what has been accepted by the kernel, and listen no more."""
        while self._accept_one():
            pass
        self._shares.leave()
        self._pause(None)
        self._listener.close()

    def changed(self) -> None:
        """Publish that connections came or went."""
        self._shares.publish(self._count())

    def close(self) -> None:
        """Give everything back."""
        self._listener.close()
        self._shares.close()

    def _readable(self) -> None:
        if not self._has_waited and self._shares.is_ahead(self._count()):
            self._has_waited = True
            self._pause(limits.LEAVE_S)
            return
        self._has_waited = False
        for _ in range(1 + self._count() // limits.ACCEPT_GROWTH):
            if not self._accept_one():
                return

    def _accept_one(self) -> bool:
        """Accept a connection; False where none waits, or none can be taken now."""
        try:
            channel, address = self._listener.accept()
        except BlockingIOError:
            return False
        except OSError:
            # No descriptor is left, for instance.
            self._pause(limits.SWEEP_S)
            self.lacks_room = True
            return False
        channel.setblocking(False)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accepted(channel, address[0])
        return True

    def _pause(self, seconds: float | None) -> None:
        if self._is_registered:
            self._selector.unregister(self._listener)
            self._is_registered = False
        self.resumes_at = None if seconds is None else time.monotonic() + seconds
