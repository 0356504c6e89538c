"""The end of a command by a signal: what its blocks have to tidy up is tidied up."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_SIGNAL_STATUS = 128
_AGAIN_S = 0.5


@contextmanager
def unwound_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise SystemExit in the block, as Ctrl-C raises KeyboardInterrupt.

    By default both end a process where it stands: servers it started go on, and databases and files it meant to remove
    stay. The exit status is a shell's, 128 plus the signal. Tidying up is not interrupted, however often a signal
    comes: to the process group, or passed on by the launcher. For the main thread only.
    """
    raised = list[SystemExit]()

    def leave(number: int, _frame: FrameType | None) -> None:
        if not raised:
            raised.append(SystemExit(_SIGNAL_STATUS + number))
            # In a finalizer an exception is reported and dropped: it is raised again until the block is left.
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S, _AGAIN_S)
        if not _is_being_handled(raised[0]):
            raise raised[0]

    # nohup: a process that asked to survive the end of the terminal does.
    ending = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    former = {number: signal.signal(number, leave) for number in (*ending, signal.SIGALRM)}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in former.items():
            signal.signal(number, handler)


def _is_being_handled(exception: BaseException) -> bool:
    current = sys.exc_info()[1]
    while current is not None and current is not exception:
        current = current.__context__
    return current is not None
