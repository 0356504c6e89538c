"""Threads that must not wait: what would keep one waiting raises WouldWait, and another thread does the work.

The loop of ``governance.front`` is such a thread: it answers what is remembered. For all others nothing here does
anything.
"""

import threading


class WouldWait(BaseException):
    """The work needs more than this thread may do. Nothing was answered, logged or saved.

    Not an Exception: what turns failures into answers must let it pass, as it does a cancellation.
    """


_thread = threading.local()


def forbid() -> None:
    """Let the calling thread never wait from now on."""
    _thread.must_not_wait = True


def refuse() -> None:
    """Raise WouldWait in a thread that must not wait. To be called before the waiting, and before any effect."""
    if getattr(_thread, "must_not_wait", False):
        raise WouldWait
