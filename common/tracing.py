"""OpenTelemetry traces: spans of a request's path. No other module imports opentelemetry.

Off unless ``OTEL_EXPORTER_OTLP_ENDPOINT`` is set, and decided when modules are imported: off, ``traced`` hands
functions back as they are and nothing of opentelemetry is imported. Spans hold names, codes and counts of this project.
Nothing a caller sent becomes part of one but the ids of a ``traceparent``, and no exception's message.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.conf import settings

ON: bool = settings.TRACES_ENDPOINT is not None
if ON:
    try:
        import requests
        from opentelemetry import trace
        from opentelemetry.context import Context
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
    except ImportError as exc:
        raise SystemExit(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages that send traces are not installed. Unset it, or "
            "install them where Assent runs: python -m pip install --require-hashes -r requirements/tracing.txt"
        ) from exc

logger = logging.getLogger(__name__)
MAX_SPANS = 250  # of one request: a batch may hold a thousand questions
Attributes = Mapping[str, str | int | bool | Sequence[str] | None]  # None: nothing is said
_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Room:
    """Span quota: how many more the request of this context may have; one that is not recorded has none."""

    def __init__(self) -> None:
        self.left, self.left_out = MAX_SPANS, 0

    def take(self) -> bool:
        if self.left:
            self.left -= 1
            return True
        self.left_out += 1
        return False


_room: ContextVar[_Room | None] = ContextVar("room", default=None)
_tracer: Any = None


def start() -> None:
    """Create the exporter and its thread: once in a process that answers requests."""
    global _tracer
    sampler = ParentBased(TraceIdRatioBased(settings.TRACES_SHARE))
    provider = TracerProvider(sampler=sampler, resource=_resource())
    provider.add_span_processor(BatchSpanProcessor(_exporter()))
    _tracer = provider.get_tracer("assent")


def _resource() -> "Resource":
    """Return the resource of this process: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES and nothing looked up."""
    return Resource({SERVICE_NAME: "assent"}).merge(OTELResourceDetector().detect())


def _exporter() -> "SpanExporter":
    session = requests.Session()
    session.trust_env = False  # no proxy and no .netrc: only the endpoint named is called
    endpoint = f"{str(settings.TRACES_ENDPOINT).rstrip('/')}/v1/traces"
    return OTLPSpanExporter(endpoint=endpoint, session=session)


def traced(
    name: str,
    *,
    given: Callable[..., Attributes] | None = None,
    span_attributes: Callable[[Any], Attributes] | None = None,
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Decorate a function with a span inside the request's. Off: the function itself.

    ``given`` makes attributes of the arguments, the other function of the result.
    """
    if not ON:
        return lambda function: function

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(function)
        def inside(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            room = _room.get()
            if room is None or not room.take():
                return function(*args, **kwargs)
            with _span(name) as span:
                if given is not None:
                    _describe(span, lambda: given(*args, **kwargs))
                result = function(*args, **kwargs)
                if span_attributes is not None:
                    _describe(span, lambda: span_attributes(result))
                return result

        return inside

    return decorate


def note(name: str, value: str | int | bool) -> None:
    """Add attributes to the current span. Check ``ON`` before calling."""
    room = _room.get()
    if room is not None and room.left_out == 0:
        trace.get_current_span().set_attribute(name, value)


@contextmanager
def entry(about: Callable[[], tuple[str, Attributes]], *, traceparent: str | None) -> Iterator[Callable[[int], None]]:
    """Open the span of a request, in its caller's trace if there is one; yields the setter of the answer's status.

    ``about`` says name and attributes, and is not asked where nothing is recorded. A ``tracestate`` is not read: it
    may hold anything and would be exported.
    """
    carrier = {} if traceparent is None else {"traceparent": traceparent}
    context = TraceContextTextMapPropagator().extract(carrier, context=Context())
    with _span("request", context=context, kind=trace.SpanKind.SERVER) as span:
        room = _Room() if span.is_recording() else None
        token = _room.set(room)
        if room is not None:
            _describe(span, lambda: _named(span, *about()))
        try:
            yield lambda status: _answered(span, status)
        finally:
            _room.reset(token)
            if room is not None and room.left_out:
                span.set_attribute("assent.spans_left_out", room.left_out)


def _named(span: Any, name: str, attributes: Attributes) -> Attributes:
    span.update_name(name)
    return attributes


def _answered(span: Any, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(trace.StatusCode.ERROR)


@contextmanager
def _span(name: str, **more: Any) -> Iterator[Any]:
    """Open a span that records only the class of an exception: messages may quote a caller's data."""
    with _tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False, **more) as span:
        try:
            yield span
        except Exception as exc:
            span.set_status(trace.StatusCode.ERROR)
            span.set_attribute("error.type", type(exc).__name__)
            raise


def _describe(span: Any, attributes: Callable[[], Attributes]) -> None:
    try:
        span.set_attributes({name: value for name, value in attributes().items() if value is not None})
    except Exception:
        logger.exception("A span could not be described")
