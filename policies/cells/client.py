"""HTTP client for other cells: addresses of the table only, one deadline for the whole exchange, bounded answers.

One session per thread and cell keeps connections open. A cell that fails again and again is left alone for a while.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException

import requests
from urllib3.exceptions import HTTPError

from common.waiting.breaker import CircuitBreaker
from policies.cells.table import Cell, read_token
from policies.engines.bounded import BoundedAdapter, Budget

MAX_ANSWER_BYTES = 4 * 1024 * 1024
_FAILURES, _REST_S = 5, 2.0
_local = threading.local()


class CellUnavailable(Exception):
    """Failure of the other cell to answer in time, or with anything that can be used."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def call(
    cell: Cell,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float,
    max_bytes: int = MAX_ANSWER_BYTES,
) -> Reply:
    """Send one request under this cell's credential. Raises CellUnavailable, for 5xx as well."""
    breaker = _breaker(cell.name)
    if not breaker.allows():
        raise CellUnavailable(f"Cell '{cell.name}' has failed too often just now.")
    try:
        reply = _exchange(cell, method, path, body, headers or {}, seconds, max_bytes)
    except (OSError, ValueError, HTTPException, HTTPError) as exc:
        breaker.failed()
        raise CellUnavailable(f"Cell '{cell.name}' cannot be asked.") from exc
    if reply.status >= 500:
        breaker.failed()
        raise CellUnavailable(f"Cell '{cell.name}' cannot answer just now.")
    breaker.succeeded()
    return reply


def _exchange(
    cell: Cell, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float, max_bytes: int
) -> Reply:
    session, budget = _session(cell)
    # Some room for the head of the answer; the body is measured by itself below.
    budget.start(seconds=seconds, max_bytes=max_bytes + 64 * 1024)
    own = {"Authorization": f"Bearer {read_token(cell)}", "Accept-Encoding": "identity"}
    sent = {**headers, **own}
    with session.request(
        method, f"{cell.url}{path}", data=body, headers=sent, allow_redirects=False, stream=True
    ) as answer:
        if "Content-Encoding" in answer.headers:
            raise ValueError("The answer is packed, which was not asked for.")
        read: bytes = answer.raw.read(max_bytes + 1, decode_content=False)
        if len(read) > max_bytes:
            raise ValueError("The answer is too large.")
        # The rest of a kept connection must not become the beginning of the next answer.
        if answer.raw.read(1, decode_content=False):
            raise ValueError("The answer is longer than it says.")
        return Reply(answer.status_code, answer.headers, read)


def _session(cell: Cell) -> tuple[requests.Session, Budget]:
    kept: dict[str, tuple[requests.Session, Budget]] | None = getattr(_local, "sessions", None)
    if kept is None:
        kept = _local.sessions = {}
    if cell.name not in kept:
        session, budget = requests.Session(), Budget()
        session.trust_env = False  # neither proxies nor a .netrc, which would replace the credential
        for scheme in ("http://", "https://"):
            session.mount(scheme, BoundedAdapter(budget))
        kept[cell.name] = (session, budget)
    return kept[cell.name]


@lru_cache(maxsize=16)
def _breaker(name: str) -> CircuitBreaker:
    return CircuitBreaker(threshold=_FAILURES, rest_s=_REST_S)
