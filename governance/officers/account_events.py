"""Audit events of accounts and groups, written where the row changes: no page or command can leave one out.

Names of groups and permissions are recorded, never a password or its hash. A login by itself is no change.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.http import HttpRequest

from audit import trail
from common import actors

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)
_NOT_A_CHANGE = frozenset({"last_login"})


def acting(request: HttpRequest | None) -> None:
    """Name the request whose officer makes the changes that follow in this context; None ends it."""
    _request.set(request)


def _actor() -> str:
    request = _request.get()
    if request is None:
        return actors.job("shell")
    return actors.officer(request) if request.user.is_authenticated else actors.job("login")


def connect() -> None:
    """Listen to every account and group."""
    for model in (User, Group):
        pre_save.connect(_remember, sender=model, dispatch_uid="account_events")
        post_save.connect(_saved, sender=model, dispatch_uid="account_events")
        pre_delete.connect(_remember_members, sender=model, dispatch_uid="account_events")
        post_delete.connect(_deleted, sender=model, dispatch_uid="account_events")
    for links in (User.groups, User.user_permissions, Group.permissions):
        m2m_changed.connect(_linked, sender=links.through, dispatch_uid="account_events")


def _kind(instance: Model) -> str:
    return "officer" if isinstance(instance, User) else "group"


def _name(instance: Any) -> str:
    return str(instance.username if isinstance(instance, User) else instance.name)


def _record(instance: Model, what: str, details: dict[str, Any]) -> None:
    trail.record(
        f"{_kind(instance)}.{what}", _name(instance), actor=_actor(), details={"account": instance.pk, **details}
    )


def _remember(sender: Any, instance: Any, raw: bool = False, **_more: Any) -> None:
    instance.row_before = None if instance.pk is None else sender.objects.filter(pk=instance.pk).values().first()


def _saved(sender: Any, instance: Any, created: bool, update_fields: Any = None, **_more: Any) -> None:
    before = instance.row_before
    if created or before is None:
        _record(instance, "created", {"fields": _granted(instance)})
        return
    written = before.keys() & set(before if update_fields is None else update_fields) - _NOT_A_CHANGE
    fields = sorted(name for name in written if before[name] != getattr(instance, name))
    if fields:
        details: dict[str, Any] = {"fields": fields}
        naming = "username" if isinstance(instance, User) else "name"
        if naming in fields:
            details["before"] = before[naming]
        _record(instance, "changed", details)


def _granted(instance: Model) -> list[str]:
    flags = ("is_active", "is_staff", "is_superuser") if isinstance(instance, User) else ()
    return [flag for flag in flags if getattr(instance, flag)]


def _remember_members(sender: Any, instance: Any, **_more: Any) -> None:
    members = instance.user_set.values_list("username", flat=True) if isinstance(instance, Group) else ()
    instance.members_before = sorted(members)


def _deleted(sender: Any, instance: Any, **_more: Any) -> None:
    members = instance.members_before
    _record(instance, "deleted", {"members": members} if sender is Group else {})


_WORDS = {"post_add": "added", "post_remove": "removed", "pre_clear": "removed"}


def _linked(
    sender: Any, instance: Any, action: str, reverse: bool, model: Any, pk_set: set[int] | None, **_more: Any
) -> None:
    word = _WORDS.get(action)
    if word is None:
        return
    others = model.objects.filter(pk__in=pk_set) if pk_set is not None else _all_linked(instance, model)
    names = sorted(_label(other) for other in others)
    if names:
        what = "rights_changed" if Permission in (model, type(instance)) else "groups_changed"
        _record_links(instance, what, word, names)


_LINKS = {
    (User, Group): "groups",
    (User, Permission): "user_permissions",
    (Group, User): "user_set",
    (Group, Permission): "permissions",
    (Permission, User): "user_set",
    (Permission, Group): "group_set",
}


def _all_linked(instance: Any, model: Any) -> Iterable[Any]:
    return list(getattr(instance, _LINKS[type(instance), model]).all())


def _label(other: Any) -> str:
    if isinstance(other, Permission):
        return f"{other.content_type.app_label}.{other.codename}"
    return _name(other)


def _record_links(instance: Any, what: str, word: str, names: list[str]) -> None:
    if isinstance(instance, Permission):  # from the right's side: the accounts or groups are the names
        trail.record(f"permission.{what}", _label(instance), actor=_actor(), details={word: names})
        return
    if isinstance(instance, Group) and what == "groups_changed":
        what = "members_changed"
    _record(instance, what, {word: names})
