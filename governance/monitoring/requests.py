"""Requests by route and status, how long they took, and what was refused for want of room or of a dependency."""

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Protocol

import msgspec
from django.conf import settings
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from common.counting import latencies
from common.counting.counts import MOMENTARY, NUMBERS, REST, Counts
from governance.monitoring import log_lines
from governance.web.traced_requests import route_of

_CODE = re.compile(r"[a-z_]{1,40}")
_OTHER = "other"
Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Pool(Protocol):
    """A bounded pool of the front."""

    refused: int

    def waiting(self) -> int: ...


@lru_cache(maxsize=1)
def counts() -> Counts:
    return Counts(settings.ASSENT_HOME / "requests")


def counted(bare_paths: Collection[str]) -> Callable[[Application], Application]:
    """Decorate the WSGI application, so that every answer of it is counted."""

    def decorate(application: Application) -> Application:
        def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
            is_bare = environ.get("PATH_INFO", "") in bare_paths
            request_id = log_lines.begin(environ.get("HTTP_X_REQUEST_ID"), needed=not is_bare)
            start = start_response if is_bare else _naming(request_id, start_response)
            counting = Counting(environ, bare_paths, start)
            try:
                chunks = application(environ, counting.start_response)
                counting.finish(chunks)
            finally:
                log_lines.end()
            return chunks

        return answer

    return decorate


def _naming(request_id: str, start_response: Callable[..., Any]) -> Callable[..., Any]:
    """Return the id with the answer, unless the answer has it already."""

    def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
        if not any(name.lower() == "x-request-id" for name, _ in headers):
            headers = [*headers, ("X-Request-ID", request_id)]
        return start_response(status, headers, *failure)

    return start


class Counting:
    """One request, from its beginning until its answer is made."""

    __slots__ = ("_environ", "_paths", "_start_response", "_started", "_status")

    def __init__(self, environ: Environ, bare_paths: Collection[str], start_response: Callable[..., Any]) -> None:
        self._environ, self._paths, self._start_response = environ, bare_paths, start_response
        self._started, self._status = time.perf_counter(), "500"

    def start_response(self, status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
        self._status = status[:3]
        return self._start_response(status, headers, *failure)

    def answering(self, start_response: Callable[..., Any]) -> Callable[..., Any]:
        """Return what the answer is started with, by way of this count."""
        self._start_response = start_response
        return self.start_response

    def finish(self, chunks: Iterable[bytes]) -> None:
        """Count the answer."""
        seconds = time.perf_counter() - self._started
        path = self._environ.get("PATH_INFO", "")
        route = path if path in self._paths else _slow_route(path, self._paths)
        counts().add(f"request {self._status} {route}", latencies.amounts(seconds))
        if self._status == "503":
            counts().add(f"unavailable {_code_in(chunks)}", {0: 1.0})


def count_own(route: str, status: int, code: str) -> None:
    """Count an answer that the front made without the application; how long it waited is not known."""
    counts().add(f"own {status} {route}", {0: 1.0})
    if status == 503:
        counts().add(f"unavailable {code}", {0: 1.0})


def _slow_route(path: str, bare_paths: Collection[str]) -> str:
    if path.startswith("/static/"):
        return "/static/"
    return (route_of(path, bare_paths) or _OTHER)[:100]


def _code_in(chunks: Iterable[bytes]) -> str:
    body = getattr(chunks, "content", None) or (b"".join(chunks) if isinstance(chunks, list) else b"")
    try:
        code = msgspec.json.decode(body).get("code", "")
    except (msgspec.DecodeError, AttributeError):
        return _OTHER
    return code if isinstance(code, str) and _CODE.fullmatch(code) else _OTHER


_refused: dict[str, int] = {}


def watch_pools(pools: Mapping[str, Pool]) -> None:
    """Note what waits in the pools of this process and how much they have refused."""
    for name, pool in pools.items():
        counts().put(f"{MOMENTARY}pool {name}", [float(pool.waiting())])
        counts().add(f"refused {name}", {0: float(pool.refused - _refused.get(name, 0))})
        _refused[name] = pool.refused


def metrics() -> Iterator[Metric]:
    """Return what all web processes of this machine counted."""
    total = {tuple(name.split(" ", 2)): numbers for name, numbers in counts().total().items() if name != REST}
    answered = CounterMetricFamily("assent_requests", "Requests answered.", labels=["route", "status"])
    by_route: dict[str, list[float]] = {}
    for key, numbers in total.items():
        if key[0] == "own":
            answered.add_metric([key[2], key[1]], numbers[0])
        elif key[0] == "request":
            answered.add_metric([key[2], key[1]], latencies.read(numbers).count)
            by_route[key[2]] = [
                one + other for one, other in zip(by_route.get(key[2], [0.0] * NUMBERS), numbers, strict=True)
            ]
    yield answered
    yield _seconds(by_route)
    unavailable = CounterMetricFamily("assent_unavailable", "Requests answered 503, by code.", labels=["code"])
    refused = CounterMetricFamily("assent_pool_refused", "Requests a full pool refused.", labels=["pool"])
    waiting = GaugeMetricFamily("assent_pool_waiting", "Requests waiting for a thread.", labels=["pool"])
    for key, numbers in total.items():
        if key[0] == "unavailable":
            unavailable.add_metric([key[1]], numbers[0])
        elif key[0] == "refused":
            refused.add_metric([key[1]], numbers[0])
        elif key[0] == MOMENTARY.strip():
            waiting.add_metric([key[2]], numbers[0])
    yield from (unavailable, refused, waiting)


def _seconds(by_route: dict[str, list[float]]) -> Metric:
    took = HistogramMetricFamily("assent_request_seconds", "How long answers took to make.", labels=["route"])
    for route, numbers in by_route.items():
        found = latencies.read(numbers)
        took.add_metric([route], found.buckets, found.seconds)
    return took
