"""Stop requests: once to stop in order, twice to stop at once."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Self

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Counter of requests to stop, which do not interrupt.

    A context manager for the main thread; the former handlers are put back at its end. ``pause`` is
    the only place that waits, and it returns at once when a signal or a child's end arrives.
    """

    def __init__(self) -> None:
        self.count = 0
        self._former: dict[int, object] = {}
        self._wake_reader, self._wake_writer = os.pipe()

    def requested(self) -> bool:
        """Return whether a stop was requested."""
        return self.count > 0

    def insisted(self) -> bool:
        """Return whether a stop was requested a second time."""
        return self.count > 1

    def pause(self, seconds: float) -> None:
        """Wait for ``seconds``, less if a signal arrives."""
        if select.select([self._wake_reader], [], [], seconds)[0]:
            os.read(self._wake_reader, 512)

    def __enter__(self) -> Self:
        for end in (self._wake_reader, self._wake_writer):
            os.set_blocking(end, False)
        self._former_wake_up = signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number in _STOPPING:
            # nohup: a process that asked to survive the end of the terminal does.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._former[number] = signal.signal(number, self._count)
        # Without a handler the end of a child would not interrupt a pause.
        self._former[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned before
        signal.set_wakeup_fd(self._former_wake_up)
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def _count(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
