"""Actors as the audit trail names them: ``officer:NAME``, ``service:NAME``, ``job:NAME``.

Another cell asks under its own credential for a service that it has authenticated (``on_behalf_of``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest

_on_behalf_of: ContextVar[str | None] = ContextVar("on_behalf_of", default=None)


def officer(request: HttpRequest) -> str:
    """Return the officer who sent a request of the admin."""
    return officer_named(request.user.get_username())


def officer_named(username: str) -> str:
    return f"officer:{username}"


def service(name: str) -> str:
    return f"service:{name}"


def job(name: str) -> str:
    return f"job:{name}"


def caller(credential_name: str) -> str:
    """Return the caller of a credential, or the service on whose behalf it calls."""
    return service(_on_behalf_of.get() or credential_name)


@contextmanager
def on_behalf_of(name: str) -> Iterator[None]:
    """Until the block ends, calls of this thread are those of ``name``. The caller has verified the name."""
    token = _on_behalf_of.set(name)
    try:
        yield
    finally:
        _on_behalf_of.reset(token)
