"""Long polling by OPA servers: short, and few of them, since each holds a thread of the web process.

The database is asked again and again instead of listening: it needs no connection of its own, and works behind poolers.
"""

import threading
import time
from collections.abc import Callable

from django.conf import settings

from common.http.problems import Unavailable
from policies.models import ActiveBundle

_PAUSE_S = 0.25
_lock = threading.Lock()
_waiting = 0


def revision_in_force() -> str:
    """Return the revision in force. Raises Unavailable where there is none."""
    return _revisions()[0]


def revision_of_the_candidate() -> str:
    """Return the rollout's candidate; without one the revision in force, so that its server holds one."""
    in_force, candidate = _revisions()
    return candidate or in_force


def _revisions() -> tuple[str, str | None]:
    found = ActiveBundle.objects.values_list("bundle_id", "candidate_id").first()
    if found is None:
        raise Unavailable("No policy bundle is in force.")
    return found


def wait_for_another(revision: str, seconds: float, *, read: Callable[[], str]) -> bool:
    """Return once ``read`` gives another revision or time is over; False, at once, where too many wait already."""
    if not _enter():
        return False
    try:
        ends = time.monotonic() + seconds
        while read() == revision and (left := ends - time.monotonic()) > 0:
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
