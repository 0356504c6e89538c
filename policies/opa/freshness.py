"""Freshness of this installation's OPA server: whether it holds the revision in force, as this process has seen."""

import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from policies.bundles.loading import LoadedBundle

if TYPE_CHECKING:
    from policies.engines.opa import OpaEngine

_KEPT_S = 1.0


class Freshness:
    """Memory of when the server was last seen to agree; it is asked once a second at most, by any number of callers."""

    def __init__(self, server: "OpaEngine") -> None:
        self._server = server
        self._asking = threading.Lock()
        self._asked_at = float("-inf")
        self._revision = ""
        self._agreed_at = time.monotonic()  # a process that has just started has not been waiting yet
        self._agrees = False

    def seconds_behind(self, bundle: LoadedBundle, activated_at: datetime) -> float:
        """Return how long the server has not held the revision: since it last agreed, or a later activation."""
        if self._is_outdated(bundle) and self._asking.acquire(blocking=False):
            try:
                self._ask(bundle)
            finally:
                self._asking.release()
        if self._agrees and self._revision == bundle.revision:
            return 0.0
        return min(time.monotonic() - self._agreed_at, (timezone.now() - activated_at).total_seconds())

    def _is_outdated(self, bundle: LoadedBundle) -> bool:
        return self._revision != bundle.revision or time.monotonic() - self._asked_at >= _KEPT_S

    def _ask(self, bundle: LoadedBundle) -> None:
        self._agrees = self._server.hold(bundle)
        self._revision, self._asked_at = bundle.revision, time.monotonic()
        if self._agrees:
            self._agreed_at = self._asked_at
