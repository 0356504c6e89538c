"""On whose behalf a call is made: another cell asks under its own credential for a service it has authenticated."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_on_behalf_of: ContextVar[str | None] = ContextVar("on_behalf_of", default=None)


def caller(credential_name: str) -> str:
    """The caller as the audit trail names it."""
    return f"service:{_on_behalf_of.get() or credential_name}"


@contextmanager
def on_behalf_of(name: str) -> Iterator[None]:
    """Until the block ends, calls of this thread are those of ``name``. The caller has made sure of the name."""
    token = _on_behalf_of.set(name)
    try:
        yield
    finally:
        _on_behalf_of.reset(token)
