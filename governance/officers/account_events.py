"""Audit events of accounts, roles and groups, written where the row changes: no page or command can leave one out.

An event of an account stands under ``account:NUMBER``: a name can be changed, a number cannot. ``by`` is the number of
the account that acted; null is the shell, a sign-in or a job. Names of groups and permissions are recorded, never a
password or its hash. A login by itself is no change.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.http import HttpRequest

from audit import trail
from common import actors
from oversight.changes.writing import set_in_force

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)
_job: ContextVar[str | None] = ContextVar("job", default=None)
_NOT_A_CHANGE = frozenset({"last_login"})
_FLAGS = ("is_active", "is_staff", "is_superuser")


def acting(request: HttpRequest | None) -> None:
    """Name the request whose officer makes the changes that follow in this context; None ends it."""
    _request.set(request)


def current_request() -> HttpRequest | None:
    """Return the request that makes changes in this context."""
    return _request.get()


@contextmanager
def acting_as(job: str) -> Iterator[None]:
    """Until the block ends, changes are made by a job of this name: nobody's account acts."""
    token = _job.set(job)
    try:
        yield
    finally:
        _job.reset(token)


def _actor() -> str:
    job, request = _job.get(), _request.get()
    if job is not None:
        return actors.job(job)
    if request is None:
        return actors.job("shell")
    return actors.officer(request) if request.user.is_authenticated else actors.job("login")


def object_of(account: int | None) -> str:
    """Return what events of an account stand under."""
    return f"account:{account}"


def record(user: User, what: str, details: dict[str, Any] | None = None) -> None:
    """Append an event of an account; call it in the transaction of the change."""
    actor = _actor()
    named = {"account": user.pk, "name": user.username, "by": actors.account_of(actor)}
    if (number := set_in_force()) is not None:
        named["set"] = number
    trail.record(what, object_of(user.pk), actor=actor, details={**named, **(details or {})})


def connect() -> None:
    """Listen to every account and group."""
    for model in (User, Group):
        pre_save.connect(_remember, sender=model, dispatch_uid="account_events")
        post_save.connect(_saved, sender=model, dispatch_uid="account_events")
        pre_delete.connect(_remember_members, sender=model, dispatch_uid="account_events")
        post_delete.connect(_deleted, sender=model, dispatch_uid="account_events")
    for links in (User.groups, User.user_permissions, Group.permissions):
        m2m_changed.connect(_linked, sender=links.through, dispatch_uid="account_events")


def _record_group(group: Group, what: str, details: dict[str, Any]) -> None:
    actor = _actor()
    trail.record(
        f"group.{what}", group.name, actor=actor, details={"group": group.pk, "by": actors.account_of(actor), **details}
    )


def _remember(sender: Any, instance: Any, raw: bool = False, **_more: Any) -> None:
    instance.row_before = None if instance.pk is None else sender.objects.filter(pk=instance.pk).values().first()
    # Set by set_password() until the save; empty where Django only hashes the same password anew.
    instance.password_is_new = getattr(instance, "_password", None) is not None


def _saved(sender: Any, instance: Any, created: bool, update_fields: Any = None, **_more: Any) -> None:
    before = instance.row_before
    if created or before is None:
        _created(instance)
        return
    written = before.keys() & set(before if update_fields is None else update_fields) - _NOT_A_CHANGE
    fields = {name for name in written if before[name] != getattr(instance, name)}
    if isinstance(instance, User):
        _account_changed(instance, before, fields, only=update_fields)
    elif fields:
        _record_group(instance, "changed", {"fields": sorted(fields), "before": before["name"]})


def _created(instance: Any) -> None:
    if isinstance(instance, User):
        record(instance, "officer.created", {"fields": [flag for flag in _FLAGS if getattr(instance, flag)]})
    else:
        _record_group(instance, "created", {})


def _account_changed(user: Any, before: dict[str, Any], fields: set[str], only: Any) -> None:
    if "password" in fields and not _is_hashed_anew(user, only):
        fields.remove("password")
        record(user, "officer.password_set", {"usable": user.has_usable_password()})
    if flags := sorted(fields & set(_FLAGS)):
        states = {"before": {f: before[f] for f in flags}, "after": {f: getattr(user, f) for f in flags}}
        record(user, "officer.rights_changed", states)
    if rest := sorted(fields - set(_FLAGS)):
        more = {"before": before["username"]} if "username" in rest else {}
        record(user, "officer.changed", {"fields": rest, **more})


def _is_hashed_anew(user: Any, only: Any) -> bool:
    """Return whether Django wrote the same password under another hash: at a login after an upgrade, and alone."""
    alone = only is not None and set(only) == {"password"}
    return alone and not user.password_is_new and bool(user.has_usable_password())


def _remember_members(sender: Any, instance: Any, **_more: Any) -> None:
    instance.members_before = list(instance.user_set.order_by("username")) if isinstance(instance, Group) else []


def _deleted(sender: Any, instance: Any, **_more: Any) -> None:
    if isinstance(instance, User):
        record(instance, "officer.deleted")
        return
    members = instance.members_before
    _record_group(instance, "deleted", {"members": [member.username for member in members]})
    for member in members:
        record(member, "role.changed", {"removed": [instance.name]})


_WORDS = {"post_add": "added", "post_remove": "removed", "pre_clear": "removed"}


def _linked(
    sender: Any, instance: Any, action: str, reverse: bool, model: Any, pk_set: set[int] | None, **_more: Any
) -> None:
    word = _WORDS.get(action)
    if word is None:
        return
    linked = getattr(instance, _LINKS[type(instance), model]) if pk_set is None else model.objects.filter(pk__in=pk_set)
    # A right is named by its content type, which would be asked for right by right.
    others = list(linked.select_related("content_type") if model is Permission else linked.all())
    if not others:
        return
    if Permission in (model, type(instance)):
        _rights_linked(instance, word, others)
    else:
        _members_linked(instance, word, others)


_LINKS = {
    (User, Group): "groups",
    (User, Permission): "user_permissions",
    (Group, User): "user_set",
    (Group, Permission): "permissions",
    (Permission, User): "user_set",
    (Permission, Group): "group_set",
}


def _members_linked(instance: Any, word: str, others: list[Any]) -> None:
    if isinstance(instance, User):
        record(instance, "role.changed", {word: sorted(group.name for group in others)})
        return
    for member in others:
        record(member, "role.changed", {word: [instance.name]})


def _rights_linked(instance: Any, word: str, others: list[Any]) -> None:
    """Record rights by whom they were given to; a group's also for each of its members, whose rights they are now."""
    holders = others if isinstance(instance, Permission) else [instance]
    rights = sorted(_right(right) for right in ([instance] if isinstance(instance, Permission) else others))
    for holder in holders:
        if isinstance(holder, User):
            record(holder, "officer.rights_changed", {word: rights})
        else:
            _record_group(holder, "rights_changed", {word: rights})
            _record_members(holder, {"group": holder.name, word: rights})


def _record_members(group: Group, details: dict[str, Any]) -> None:
    members: Iterable[User] = group.user_set.order_by("pk")
    for member in members:
        record(member, "officer.rights_changed", details)


def _right(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"
