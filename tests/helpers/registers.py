"""Registers in tests: officers with accounts, drafts of changes, and the guard of a session that named no writer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from common import actors
from consent.register.terms import newest_version
from governance.officers.rights_register import operator_writes
from oversight import registers, rows
from oversight.admin import remedies
from oversight.changes import approval, drafting, preview
from oversight.changes.documents import Proposed
from oversight.guard import SETTING
from oversight.models import ChangeSet


@contextmanager
def without_writer() -> Iterator[None]:
    """Until the block ends, this session has named no writer, as every session outside the tests."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, '', false)", [SETTING])
    try:
        yield
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config(%s, 'tests', false)", [SETTING])


def make_officer(name: str) -> actors.Officer:
    """An officer's account made on the shell, as its actor."""
    return actors.Officer.of(name, make_account(name).pk)


def make_account(name: str) -> User:
    with operator_writes():
        return User.objects.create_superuser(name, password="a long password")


def purpose_with(slug: str, **members: Any) -> Proposed:
    """A purpose as it is in force, with members replaced; each data category that is new has its reason."""
    before = rows.find_document(registers.find("purpose"), slug) or {}
    reasons = {
        f"{kind}/en": {"reason": "Without it we cannot do this.", "benefit": ""}
        for kind in members.get("data_categories", ())
    }
    explained = {"data_reasons": {**reasons, **before.get("data_reasons", {})}}
    return Proposed("purpose", slug, {**before, **explained, **members})


def widened(slug: str, *, is_material: bool = True, **members: Any) -> tuple[Proposed, Proposed]:
    """A purpose with members replaced, and the next version of its notice."""
    version = newest_version(slug) + 1
    text = f"Version {version} says what is new."
    notice = {"purpose": slug, "version": version, "locale": "en", "text": text, "is_material": is_material}
    return purpose_with(slug, **members), Proposed("notice", f"{slug}/{version}/en", notice)


def drafted(actor: str, *proposed: Proposed, **more: Any) -> ChangeSet:
    return preview.check(drafting.draft(proposed, title="A change", actor=actor, **more))


def proposed_by(actor: str, *proposed: Proposed) -> ChangeSet:
    change_set = drafted(actor, *proposed)
    drafting.propose(change_set, actor=actor, reason="we need it")
    change_set.refresh_from_db()
    return change_set


def in_force(author: str, approver: str, *proposed: Proposed) -> ChangeSet:
    change_set = proposed_by(author, *proposed)
    return approval.approve(change_set, actor=approver, seen=change_set.digest, confirmed="I compared the texts.")


def second_newest() -> ChangeSet:
    """Bring the newest draft into force as its author, who drafts the notices it needs, and another officer do."""
    change_set = ChangeSet.objects.filter(state="draft").latest("id")
    assert change_set.author is not None
    author = actors.Officer.of(change_set.author.username, change_set.author.pk)
    for remedy in remedies.of(change_set):
        change_set = remedies.apply(change_set, remedy.code, actor=author)
    drafting.propose(change_set, actor=author, reason="")
    approver = User.objects.filter(username="second").first() or make_account("second")
    actor = actors.Officer.of("second", approver.pk)
    return approval.approve(change_set, actor=actor, seen=change_set.digest, confirmed="I compared the texts.")
