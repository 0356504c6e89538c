"""Account of an officer whom the provider vouches for: made at the first sign-in, its roles set anew at each."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction

from governance.models import OfficerSession, ProviderIdentity
from governance.officers import account_events, role_groups
from governance.officers.rights_register import operator_writes
from governance.oidc.client import Client, SignInRefused
from governance.sign_in import sessions

_JOB = "officers-provider"


def account_of(claims: Mapping[str, Any], client: Client) -> User:
    """Return the account, its roles brought up to the claimed groups. Raises SignInRefused.

    Whoever lost the last role is refused, and has none afterwards: what a former sign-in gave does not outlive it.
    """
    subject, wanted = claims.get("sub"), _roles(claims)
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise SignInRefused("the token names no subject")
    with account_events.acting_as(_JOB), transaction.atomic():
        known = ProviderIdentity.objects.select_related("account").filter(issuer=client.issuer, subject=subject).first()
        user = known.account if known else _new_account(claims, client, subject, wanted)
        if user is not None and user.is_active:
            role_groups.set_roles(user, wanted)
            if not wanted:
                sessions.end(OfficerSession.objects.filter(account=user))
    if user is None or not wanted:
        raise SignInRefused("no group of this officer has a role")
    if not (user.is_active and user.is_staff):
        raise SignInRefused("the account may not sign in")
    return user


def _roles(claims: Mapping[str, Any]) -> list[str]:
    claimed = claims.get(settings.OFFICER_OIDC_GROUPS_CLAIM)
    groups = claimed if isinstance(claimed, list) else [claimed]
    found = [role for group in groups if isinstance(group, str) for role in settings.OFFICER_OIDC_ROLES.get(group, ())]
    return sorted(set(found))


def _new_account(claims: Mapping[str, Any], client: Client, subject: str, wanted: list[str]) -> User | None:
    if not wanted:
        return None
    name = claims.get(client.claim)
    try:
        if not isinstance(name, str) or not 0 < len(name) <= 150:
            raise SignInRefused("the claim that names the officer is missing")
        UnicodeUsernameValidator()(name)
    except ValidationError:
        raise SignInRefused("the claim that names the officer is no name of an account") from None
    if User.objects.filter(username__iexact=name).exists():
        # Never the account of another way in: who may choose names at the provider would take it over.
        raise SignInRefused("another account has this name")
    with operator_writes():
        user = User.objects.create_user(name, is_staff=True)  # without a password
    ProviderIdentity.objects.create(account=user, issuer=client.issuer, subject=subject)
    return user
