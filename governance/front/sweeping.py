"""Which connections end because a client takes too long, or because there are too many."""

import resource
from collections.abc import Iterable

from governance.front import limits
from governance.front.connections import Connection, Phase

_MAY_BE_SHED = (Phase.IDLE, Phase.HEAD, Phase.BODY, Phase.LINGERING)


def most_connections() -> int:
    """Raise what the system lets this process open, and return how many connections it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.CONNECTIONS + limits.SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(limits.CONNECTIONS, max(soft - limits.SPARE_DESCRIPTORS, limits.SHED_SHARE))


def overdue(connections: Iterable[Connection], now: float) -> list[Connection]:
    """Return those whose time is over."""
    return [connection for connection in connections if connection.deadline < now]


def holding_too_much(connections: Iterable[Connection]) -> list[Connection]:
    """Return those that keep much for their client for the longest time, where all together keep too much."""
    holding = [connection for connection in connections if connection.phase in (Phase.BODY, Phase.WRITING)]
    total = sum(connection.held() for connection in holding)
    if total <= limits.HELD_BYTES:
        return []
    holding.sort(key=lambda connection: connection.since)
    ended = []
    for connection in holding:
        if total <= limits.HELD_BYTES // 2:
            break
        total -= connection.held()
        ended.append(connection)
    return ended


def to_shed(connections: Iterable[Connection]) -> list[Connection]:
    """Return the tenth that has gone longest without a whole request; none that waits for an answer is among them."""
    candidates = [connection for connection in connections if connection.phase in _MAY_BE_SHED]
    # Idle ones first: no request is lost with them.
    candidates.sort(key=lambda connection: (connection.phase is not Phase.IDLE, connection.since))
    return candidates[: max(1, limits.CONNECTIONS // limits.SHED_SHARE)]
