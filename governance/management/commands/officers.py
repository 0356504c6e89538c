"""Accounts of officers, by the operator of the machine. Each step is in the audit trail."""

import getpass
import sys
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count

from governance.officers import account_events, role_groups
from governance.officers.rights_register import operator_writes
from governance.officers.roles import ROLES
from governance.sign_in import factors, invitations, sessions


class Command(BaseCommand):
    help = "Accounts of officers: create, invite, give roles, reset a password, recover, vouch for, list."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        create = commands.add_parser("create", help="Create an account with a password asked for here.")
        create.add_argument("name")
        _role_option(create)
        create.add_argument("--superuser", action="store_true", help="May do everything. Only this command says so.")
        create.add_argument("--password-stdin", action="store_true", help="Read the password from standard input.")
        invite = commands.add_parser("invite", help="Create an account; its holder sets the password by a link.")
        invite.add_argument("name")
        _role_option(invite)
        given = commands.add_parser("roles", help="Show the roles there are, or an account's; change them.")
        given.add_argument("name", nargs="?")
        given.add_argument("--add", action="append", choices=ROLES, default=[], metavar="ROLE")
        given.add_argument("--remove", action="append", choices=ROLES, default=[], metavar="ROLE")
        reset = commands.add_parser("reset-password", help="Take the password away; print a link that sets a new one.")
        reset.add_argument("name")
        recover = commands.add_parser("recover", help="Remove second factors and recovery codes that were lost.")
        recover.add_argument("name")
        vouch = commands.add_parser("vouch", help="State that an account is its holder's alone, as of now.")
        vouch.add_argument("name")
        commands.add_parser("list", help="List accounts with roles, second factors and last sign-in.")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        role_groups.keep_current()
        with operator_writes():
            getattr(self, f"_{command.replace('-', '_')}")(**options)

    def _create(self, name: str, role: list[str], superuser: bool, password_stdin: bool, **options: Any) -> None:
        user = _new(name, superuser=superuser)
        password = sys.stdin.readline().rstrip("\n") if password_stdin else _asked_password()
        try:
            validate_password(password, user)
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from refused
        user.set_password(password)
        user.save()
        role_groups.set_roles(user, role)
        self.stdout.write(f"The account '{name}' is made{_with(role, superuser)}.")

    def _invite(self, name: str, role: list[str], **options: Any) -> None:
        user = _new(name)
        user.set_unusable_password()
        user.save()
        role_groups.set_roles(user, role)
        self.stdout.write(f"The account '{name}' is made{_with(role)}. Hand this link to its holder, who sets the")
        self.stdout.write("password. It counts once, for three days:")
        self.stdout.write(invitations.link_for(user))

    def _roles(self, name: str | None, add: list[str], remove: list[str], **options: Any) -> None:
        if name is None:
            for role in ROLES.values():
                self.stdout.write(f"{role.slug:16} {role.sentence}")
            return
        user = _account(name)
        held = set(role_groups.roles_of(user))
        if add or remove:
            held = (held | set(add)) - set(remove)
            role_groups.set_roles(user, held)
        self.stdout.write(f"{name}: {', '.join(sorted(held)) or 'no role'}")

    def _reset_password(self, name: str, **options: Any) -> None:
        link = invitations.reset_password(_account(name))
        self.stdout.write(f"'{name}' has no password and no session any more. This link sets a new password. It counts")
        self.stdout.write("once, for three days:")
        self.stdout.write(link)

    def _recover(self, name: str, **options: Any) -> None:
        user = _account(name)
        factors.recover(user)
        sessions.end_others(user)
        self.stdout.write(f"'{name}' has no second factor and no session any more, and signs in with the password.")

    def _vouch(self, name: str, **options: Any) -> None:
        account_events.record(_account(name), "officer.vouched")
        self.stdout.write(f"It is on record that the account '{name}' is its holder's alone.")

    def _list(self, **options: Any) -> None:
        for user in User.objects.annotate(held=Count("second_factors")).order_by("username"):
            roles = ", ".join(role_groups.roles_of(user)) or ("everything" if user.is_superuser else "no role")
            state = "" if user.is_active and user.is_staff else "  may not sign in"
            seen = f"{user.last_login:%Y-%m-%d}" if user.last_login else "never"
            factor = "second factor" if user.held else "password only"
            self.stdout.write(f"{user.pk:>5} {user.username:24} {factor:14} seen {seen:11} {roles}{state}")


def _role_option(parser: CommandParser) -> None:
    parser.add_argument("--role", action="append", choices=ROLES, default=[], metavar="ROLE", help="May be repeated.")


def _new(name: str, *, superuser: bool = False) -> User:
    user = User(username=name, is_staff=True, is_superuser=superuser)
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as refused:
        raise CommandError(" ".join(refused.messages)) from refused
    return user


def _account(name: str) -> User:
    try:
        return User.objects.get(username=name)
    except User.DoesNotExist:
        raise CommandError(f"There is no account '{name}'. './assent officers list' names those there are.") from None


def _asked_password() -> str:
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Password again: "):
        raise CommandError("The two passwords differ.")
    return first


def _with(roles: list[str], superuser: bool = False) -> str:
    if superuser:
        return " and may do everything"
    return f" with the roles {', '.join(roles)}" if roles else " without a role: give it one with 'officers roles'"
