"""Actors as the audit trail names them: ``officer:NAME``, ``service:NAME``, ``job:NAME``.

Another cell asks under its own credential for a service that it has authenticated (``on_behalf_of``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest

_on_behalf_of: ContextVar[str | None] = ContextVar("on_behalf_of", default=None)


class Officer(str):
    """An officer's actor text, with the account's id: a name can be changed and used again, an id cannot."""

    __slots__ = ("account",)
    account: int

    @classmethod
    def of(cls, username: str, account: int) -> "Officer":
        named = cls(f"officer:{username}")
        named.account = account
        return named


def officer(request: HttpRequest) -> Officer:
    """Return the officer who sent a request of the admin."""
    return Officer.of(request.user.get_username(), int(request.user.pk or 0))


def account_of(actor: str) -> int | None:
    """Return the id of an officer's account; None for a service, a job, or a text that was read back."""
    return actor.account if isinstance(actor, Officer) else None


def is_same_person(actor: str, other: str, account: int | None) -> bool:
    """Return whether an actor is the person stored as ``other`` with ``account``: by account where both have one."""
    own = account_of(actor)
    if own is not None and account is not None:
        return own == account
    return actor.casefold() == other.casefold()


def service(name: str) -> str:
    return f"service:{name}"


def job(name: str) -> str:
    return f"job:{name}"


def caller(credential_name: str) -> str:
    """Return the caller of a credential, or the service on whose behalf it calls."""
    return service(_on_behalf_of.get() or credential_name)


CELLS = "cells"  # the scope that makes a credential another cell's
CELL_CREDENTIAL_ALONE = (
    "This credential is another cell's: it carries what that cell forwards, with X-Assent-Cell, and pulls its rules. "
    "Use a credential of this cell's own for anything else."
)


def may_use_cell_credential(scope: str) -> bool:
    """Return whether a cell's credential may be used for a scope: its own, or while a request is being forwarded."""
    return scope == CELLS or _on_behalf_of.get() is not None


@contextmanager
def on_behalf_of(name: str) -> Iterator[None]:
    """Until the block ends, calls of this thread are those of ``name``. The caller has verified the name."""
    token = _on_behalf_of.set(name)
    try:
        yield
    finally:
        _on_behalf_of.reset(token)
