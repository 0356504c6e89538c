"""Register of what officers may do: their roles, and whether they may sign in. Changed by change sets.

Accounts are made by the operator or on the page of accounts, without rights; superusers by command only. An account
is deleted by a change set. Commands and the provider's sign-in make accounts and give roles as well, as the operator's
ways: ``operator_writes`` lets them, and a trigger refuses every other writer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from governance.officers.roles import names_of
from oversight import guard
from oversight.problems import ChangeRefused
from oversight.registers import Document, Register


def rights_narrow(before: Document | None, after: Document | None) -> bool:
    """Return whether an officer may do less after the change, and nothing more."""
    if before is None or after is None:
        return False
    flags = all(before[name] or not after[name] for name in ("is_active", "is_staff"))
    return flags and set(after["groups"]) <= set(before["groups"])


def _in_words(member: str, content: Any) -> Any:
    """Return roles by the name that officers know them by, not by that of their group."""
    return names_of(content) if member == "groups" and content else content


def _save(user: Any, created: bool) -> None:
    """Save the rights alone: the password and the last sign-in are nobody's proposal."""
    if created:
        raise ChangeRefused("An account is made by ./assent officers invite, not by a change set.")
    user.save(update_fields=["is_active", "is_staff"])


def _inverse(before: Document | None, after: Document | None) -> tuple[str, Document | None]:
    """Return what stood before. Raises ChangeRefused for an account that is gone: its holder is invited again."""
    if before is None or after is None:
        raise ChangeRefused("A deleted account does not come back. The operator invites its holder: officers invite.")
    return str(before["username"]), before


OFFICER_RIGHTS = Register(
    name="officer_rights",
    title="Rights of officer",
    model=User,
    key=("username",),
    omits=("password", "last_login", "first_name", "last_name", "email", "date_joined", "is_superuser",
           "user_permissions"),
    in_bundle=False,
    in_emergency=False,
    is_local=True,
    narrows=rights_narrow,
    inverse=_inverse,
    in_words=_in_words,
    save=_save,
)  # fmt: skip


@contextmanager
def operator_writes() -> Iterator[None]:
    """Let the block write accounts and their rights, as the operator's commands and the provider's sign-in do."""
    with transaction.atomic(), guard.writing("operator"):
        yield
