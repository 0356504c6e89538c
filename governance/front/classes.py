"""Classes of work: which pool answers a path, and how large its bodies may be.

Requests of one class wait for each other, and for no other class.
"""

from dataclasses import dataclass, replace
from enum import Enum

from governance.front import limits


class Place(Enum):
    """Where a request is answered first."""

    CONSTANT = "by the front itself"
    LOOP = "in the loop, or by the pool if it would wait there"
    POOL = "by the pool"


@dataclass(frozen=True, kw_only=True)
class WorkClass:
    """One kind of work, with a pool of its own."""

    name: str
    threads: int
    queue: int
    """Requests that may wait for a thread."""
    place: Place = Place.POOL
    body_bytes: int = limits.BODY_BYTES
    has_pages: bool = False
    """Whether people open its paths in a browser; the front's own answers are pages for those who read HTML."""


# Threads are made when they are needed and end when idle, and each has a connection to the database: that is why they
# are few. More than two share one interpreter lock.
DECISIONS = WorkClass(name="decisions", threads=2, queue=1_000, place=Place.LOOP)
BATCHES = WorkClass(name="batches", threads=1, queue=64)
SERVICES = WorkClass(name="services", threads=2, queue=256)
PEOPLE = WorkClass(name="people", threads=2, queue=256, has_pages=True)
# Lists are begun in the loop; what would wait for a statement of its own shares the threads of services.
LISTS = replace(SERVICES, place=Place.LOOP)
OFFICERS = WorkClass(name="officers", threads=2, queue=64, body_bytes=limits.LARGE_BODY_BYTES, has_pages=True)
TABLES = replace(OFFICERS, body_bytes=limits.TABLE_BYTES)
MONITORING = WorkClass(name="monitoring", threads=1, queue=32)
LIVENESS = WorkClass(name="liveness", threads=0, queue=0, place=Place.CONSTANT)


def opa_servers(waiters: int) -> WorkClass:
    """Return the class of OPA servers, of which ``waiters`` may each hold a thread; two more answer the others."""
    return WorkClass(name="opa", threads=waiters + 2, queue=64, body_bytes=limits.LARGE_BODY_BYTES)


class Routing:
    """Names the class of every path."""

    def __init__(self, *, opa_waiters: int) -> None:
        opa = opa_servers(opa_waiters)
        self._exact = {
            "/access/v1/evaluation": DECISIONS,
            "/api/v1/consents/state": DECISIONS,
            "/api/v1/decisions": BATCHES,
            "/api/v1/recommendations": LISTS,
            "/api/v1/recommendations/visit": LISTS,
            "/health/live": LIVENESS,
            "/health/ready": MONITORING,
            "/metrics": MONITORING,
            "/admin/releases/": TABLES,
            "/api/schema": OFFICERS,
            "/api/docs": OFFICERS,
        }
        # The first that fits.
        self._prefixes = (
            ("/access/v1/", BATCHES),
            ("/api/v1/opa/", opa),
            ("/api/v1/banner/", PEOPLE),
            ("/api/v1/", SERVICES),
            ("/admin/releases/tables/", TABLES),  # hierarchies of columns
            ("/admin/", OFFICERS),
        )
        pooled = (DECISIONS, BATCHES, SERVICES, PEOPLE, OFFICERS, MONITORING, opa)
        self.pooled: tuple[WorkClass, ...] = pooled

    def class_of(self, path: str) -> WorkClass:
        """Return the class of a path; every path that is named nowhere is a page or file of people."""
        found = self._exact.get(path)
        if found is not None:
            return found
        for prefix, work in self._prefixes:
            if path.startswith(prefix):
                return work
        return PEOPLE
