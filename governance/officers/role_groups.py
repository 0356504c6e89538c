"""Groups of roles: kept current with the roles' data, and given to accounts."""

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission, User

from governance.officers.rights_register import operator_writes
from governance.officers.roles import PREFIX, ROLES


def keep_current() -> list[str]:
    """Give every role's group exactly its rights; return the roles that had others. Writes nothing where all have.

    Raises LookupError for a right that this installation does not know.
    """
    with operator_writes():
        return _keep_current()


def _keep_current() -> list[str]:
    known = {_name(row): row for row in Permission.objects.select_related("content_type")}
    changed = []
    for role in ROLES.values():
        if missing := sorted(role.rights - known.keys()):
            raise LookupError(f"the role {role.slug} has rights that do not exist: {', '.join(missing)}")
        group, _made = Group.objects.get_or_create(name=role.group)
        if {_name(row) for row in group.permissions.select_related("content_type")} != role.rights:
            group.permissions.set([known[right] for right in sorted(role.rights)])
            changed.append(role.name)
    return changed


def _name(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"


def set_roles(user: User, slugs: Iterable[str]) -> None:
    """Give an account exactly these roles, by the operator. Groups that are no roles stay as they are."""
    wanted = _existing(slugs)
    with operator_writes():
        _set_roles(user, wanted)


def groups_with(user: User, slugs: Iterable[str]) -> list[str]:
    """Return the names of the groups that an account would have with exactly these roles."""
    wanted = _existing(slugs)
    others = user.groups.exclude(name__startswith=PREFIX).values_list("name", flat=True)
    return sorted({*others, *wanted})


def _existing(slugs: Iterable[str]) -> set[str]:
    """Return the names of the roles' groups, made where they are missing."""
    wanted = {ROLES[slug].group for slug in slugs}
    if Group.objects.filter(name__in=wanted).count() < len(wanted):
        keep_current()
    return wanted


def _set_roles(user: User, wanted: set[str]) -> None:
    held = set(user.groups.filter(name__startswith=PREFIX).values_list("name", flat=True))
    user.groups.remove(*Group.objects.filter(name__in=held - wanted))
    user.groups.add(*Group.objects.filter(name__in=wanted - held))


def roles_of(user: User) -> list[str]:
    """Return the slugs of an account's roles."""
    names = user.groups.filter(name__startswith=PREFIX).order_by("name").values_list("name", flat=True)
    return [name.removeprefix(PREFIX) for name in names]
