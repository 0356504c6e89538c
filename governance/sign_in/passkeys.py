"""Passkeys of officers (WebAuthn, level 2), behind fido2. A challenge is kept in the session and counts once."""

import hashlib
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from common.http import strict_json
from governance.models import SecondFactor
from governance.officers import account_events

_ADDING, _USING = "passkey_adding", "passkey_using"


def is_possible() -> bool:
    """Return whether browsers make passkeys for this site: they need a host name, not an address."""
    try:
        ip_address(_host().strip("[]"))
    except ValueError:
        return True
    return False


def answer_in(request: HttpRequest) -> dict[str, Any] | None:
    """Return the document of the browser's authenticator; None for a body that is none."""
    if request.content_type != "application/json":
        return None
    try:
        return strict_json.loads_object(request.body)
    except strict_json.InvalidJson:
        return None


def begin_adding(user: User, session: SessionBase) -> dict[str, Any]:
    """Return the options of ``navigator.credentials.create``."""
    handle = hashlib.sha256(f"assent officer {user.pk}".encode()).digest()
    options, session[_ADDING] = _server().register_begin(
        PublicKeyCredentialUserEntity(id=handle, name=user.username, display_name=user.username),
        credentials=_credentials(user),
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return dict(options.public_key)


@transaction.atomic
def add(user: User, session: SessionBase, response: Mapping[str, Any], name: str) -> bool:
    """Add the passkey that a browser made. Return whether it proves what was asked."""
    state = session.pop(_ADDING, None)
    if state is None:
        return False
    try:
        made = _server().register_complete(state, response)
        credential = made.credential_data
        if credential is None:
            return False
        with transaction.atomic():
            SecondFactor.objects.create(
                account=user,
                kind=SecondFactor.Kind.PASSKEY,
                name=" ".join(name.split())[:60] or SecondFactor.Kind.PASSKEY.label,
                secret=bytes(credential),
                credential_id=credential.credential_id,
                counter=made.counter,
            )
    except (ValueError, TypeError, KeyError, IntegrityError):  # the browser's document, or a key that is there already
        return False
    account_events.record(user, "officer.second_factor_set", {"added": SecondFactor.Kind.PASSKEY.value})
    return True


def begin_using(user: User, session: SessionBase) -> dict[str, Any]:
    """Return the options of ``navigator.credentials.get``."""
    options, session[_USING] = _server().authenticate_begin(
        _credentials(user), user_verification=UserVerificationRequirement.PREFERRED
    )
    return dict(options.public_key)


def use(user: User, session: SessionBase, response: Mapping[str, Any]) -> bool:
    """Return whether a browser signed the challenge with one of the account's passkeys."""
    state = session.pop(_USING, None)
    if state is None:
        return False
    try:
        used = _server().authenticate_complete(state, _credentials(user), response)
        counter = AuthenticationResponse.from_dict(response).response.authenticator_data.counter
    except (ValueError, TypeError, KeyError):
        return False
    known = SecondFactor.objects.filter(account=user, credential_id=used.credential_id)
    if counter:  # a count that does not rise is a copy of the key; most passkeys count nothing and send 0
        known = known.filter(counter__lt=counter)
    return bool(known.update(counter=counter, used_at=timezone.now()))


def _credentials(user: User) -> list[AttestedCredentialData]:
    rows = SecondFactor.objects.filter(account=user, kind=SecondFactor.Kind.PASSKEY)
    return [AttestedCredentialData(bytes(row.secret)) for row in rows]


def _server() -> Fido2Server:
    party = PublicKeyCredentialRpEntity(id=_host(), name=f"Assent {settings.BUSINESS_NAME}")
    return Fido2Server(party, verify_origin=lambda origin: origin == settings.PUBLIC_URL)


def _host() -> str:
    return urlsplit(settings.PUBLIC_URL).hostname or ""
