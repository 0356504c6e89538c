"""Keep OPA servers waiting for a revision: short, and few of them, since each holds a thread of the web process.

The database is asked again and again instead of listening: it needs no connection of its own, and works behind poolers.
"""

import threading
import time

from django.conf import settings

from common.problems import Unavailable
from policies.models import ActiveBundle

_PAUSE_S = 0.25
_lock = threading.Lock()
_waiting = 0


def revision_in_force() -> str:
    """Raises Unavailable where there is none."""
    revision = ActiveBundle.objects.values_list("bundle_id", flat=True).first()
    if revision is None:
        raise Unavailable("No policy bundle is in force.")
    return revision


def wait_for_another(revision: str, seconds: float) -> bool:
    """Return once another revision is in force or the time is over; False, at once, where too many wait already."""
    if not _enter():
        return False
    try:
        ends = time.monotonic() + seconds
        while revision_in_force() == revision and (left := ends - time.monotonic()) > 0:
            time.sleep(min(_PAUSE_S, left))
    finally:
        _leave()
    return True


def _enter() -> bool:
    global _waiting
    with _lock:
        if _waiting >= settings.OPA_LONG_POLL_WAITERS:
            return False
        _waiting += 1
    return True


def _leave() -> None:
    global _waiting
    with _lock:
        _waiting -= 1
