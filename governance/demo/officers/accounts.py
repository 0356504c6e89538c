"""Accounts of the demonstration's officers, to which there is no password."""

from django.contrib.auth.models import User

from common.actors import Officer
from governance.officers import role_groups
from governance.officers.rights_register import operator_writes


def author() -> Officer:
    """Return who writes and proposes."""
    return _officer("demo-author", "privacy-officer")


def approver() -> Officer:
    """Return who approves."""
    return _officer("demo-approver", "approver")


def _officer(name: str, role: str) -> Officer:
    with operator_writes():
        account, is_new = User.objects.get_or_create(username=name)
    if is_new:
        account.set_unusable_password()
        account.save()
    role_groups.set_roles(account, [role])
    return Officer.of(name, account.pk)
