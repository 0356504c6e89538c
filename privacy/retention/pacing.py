"""Back-pressure: a retention run rests as long as it worked, and longer while others wait because of it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection

logger = logging.getLogger(__name__)
GENTLE_BATCH = 5_000
_LOOK_AGAIN_S = 0.02
_LONGEST_REST_S = 30.0
# Clients of this database that wait for a lock or for storage, how far the slowest replica is behind, and replicas that
# this role is not shown the state of.
_PRESSURE = """
SELECT
  (SELECT count(*) FROM pg_stat_activity
   WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
     AND state = 'active' AND wait_event_type IN ('Lock', 'LWLock', 'IO')),
  (SELECT coalesce(extract(epoch FROM max(replay_lag)), 0) FROM pg_stat_replication),
  (SELECT count(*) FROM pg_stat_replication WHERE state IS NULL)
"""


@dataclass
class Pace:
    """Rests between the batches of one run. Not gentle: none, for urgent deletions and measurements."""

    gentle: bool
    rows_per_s: int = 0
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic
    rested_s: float = field(default=0.0, init=False)
    _has_warned: bool = field(default=False, init=False)

    def rest(self, worked_s: float, rows: int) -> None:
        """Rest after a batch of ``rows`` that took ``worked_s``."""
        if self.rows_per_s:
            self._sleep(max(0.0, rows / self.rows_per_s - worked_s))
        if not self.gentle:
            return
        self._sleep(worked_s)
        until = self.clock() + _LONGEST_REST_S
        while self._is_under_pressure() and self.clock() < until:
            self._sleep(_LOOK_AGAIN_S)

    def _is_under_pressure(self) -> bool:
        found = pressure()
        if found.hidden_replicas and not self._has_warned:
            self._has_warned = True
            logger.warning("The lag of replicas is hidden from this role: GRANT pg_read_all_stats TO the role")
        return found.is_high

    def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.rested_s += seconds
            self.sleep(seconds)


def for_retention() -> Pace:
    """Return the pace that the settings give a retention run."""
    return Pace(gentle=settings.RETENTION_GENTLE, rows_per_s=settings.RETENTION_ROWS_PER_S)


@dataclass(frozen=True)
class Pressure:
    """Clients that wait for the server, how far the slowest replica is behind, and replicas that show nothing."""

    waiting: int
    lag_s: float
    hidden_replicas: int

    @property
    def is_high(self) -> bool:
        return bool(self.waiting) or self.lag_s > settings.RETENTION_REPLICA_LAG_S


def pressure() -> Pressure:
    """Ask the server who waits, and how far its replicas are behind."""
    with connection.cursor() as cursor:
        cursor.execute(_PRESSURE)
        waiting, lag, hidden = cursor.fetchone()
    return Pressure(waiting, float(lag), hidden)
