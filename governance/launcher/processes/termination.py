"""The end of a command by a signal: what its blocks have to tidy up is tidied up."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_SIGNAL_STATUS = 128


@contextmanager
def unwound_by_signals() -> Iterator[None]:
    """Let the first SIGTERM or SIGHUP raise SystemExit in the block, as Ctrl-C raises KeyboardInterrupt.

    By default both end a process where it stands: servers it started go on, and databases and files it meant to remove
    stay. The exit status is a shell's, 128 plus the signal. For the main thread only.
    """
    # nohup: a process that asked to survive the end of the terminal does.
    ending = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]

    def leave(number: int, _frame: FrameType | None) -> None:
        # A second one, to the process group or passed on by the launcher, must not interrupt the tidying up. A handler,
        # as children inherit that a signal is ignored.
        for each in ending:
            signal.signal(each, lambda _number, _frame: None)
        raise SystemExit(_SIGNAL_STATUS + number)

    former = {number: signal.signal(number, leave) for number in ending}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
