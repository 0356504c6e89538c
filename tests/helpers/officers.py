"""Officers with one role, and codes as their authenticator app makes them."""

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from common.actors import Officer
from governance.officers import role_groups
from governance.officers.rights_register import operator_writes
from governance.sign_in import factors

PASSWORD = "a long password"


def with_role(name: str, *roles: str) -> User:
    role_groups.keep_current()
    with operator_writes():
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    role_groups.set_roles(user, roles)
    return user


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def code_of(secret: bytes, *, steps: int = 0) -> str:
    now = int(timezone.now().timestamp()) + 30 * steps
    return TOTP(secret, 6, SHA1(), 30).generate(now).decode()


def with_app(user: User) -> bytes:
    """Give an account an authenticator app and return its secret; the code of the step before has been used."""
    secret = factors.new_secret()
    assert factors.add_app(user, secret, code_of(secret, steps=-1))
    return secret


def password_typed(user: User, **more: str) -> Client:
    """Return a browser that has done the first step of the sign-in."""
    browser = Client()
    browser.post("/admin/login/", {"username": user.username, "password": PASSWORD, **more})
    return browser


def make_accounts(*officers: Officer) -> None:
    """Make the accounts of actors on the shell, under their numbers: the trail knows who they are."""
    for officer in officers:
        User.objects.create_superuser(officer.removeprefix("officer:"), id=officer.account, password=PASSWORD)
