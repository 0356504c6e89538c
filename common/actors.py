"""Acting on behalf of a service: another cell calls under its own credential for a service it has authenticated."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_on_behalf_of: ContextVar[str | None] = ContextVar("on_behalf_of", default=None)


def caller(credential_name: str) -> str:
    """Return the caller as the audit trail names it."""
    return f"service:{_on_behalf_of.get() or credential_name}"


@contextmanager
def on_behalf_of(name: str) -> Iterator[None]:
    """Attribute calls of this thread to ``name`` until the block ends. The caller has authenticated the name."""
    token = _on_behalf_of.set(name)
    try:
        yield
    finally:
        _on_behalf_of.reset(token)
