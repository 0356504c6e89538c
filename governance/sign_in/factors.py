"""Second factors of officers: codes of an authenticator app (RFC 6238) and recovery codes. Passkeys: ``passkeys``.

Every code counts once. A step of time is used up in the statement that accepts it, so of many requests at once with
the same code one is taken.
"""

import hashlib
import secrets
from base64 import b32encode
from dataclasses import dataclass

import segno
from cryptography.hazmat.primitives import constant_time
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from governance.models import OfficerSession, RecoveryCode, SecondFactor
from governance.officers import account_events
from governance.sign_in import sealing

_STEP_S = 30
_DIGITS = 6
_STEPS_OFF = (0, -1, 1)  # clocks differ, and typing takes time
_SECRET_BYTES = 20
_RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
MAX_FACTORS = 10


@dataclass(frozen=True)
class Enrolment:
    """What an officer needs to add an authenticator app: the picture, and the secret to type instead."""

    secret: str
    picture: str


def new_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def enrolment(user: User, secret: bytes) -> Enrolment:
    uri = _totp(secret).get_provisioning_uri(user.username, f"Assent {settings.BUSINESS_NAME}")
    text = b32encode(secret).decode()
    picture = segno.make(uri, error="m").svg_data_uri(scale=4, border=4, light="#ffffff")
    return Enrolment(" ".join(text[i : i + 4] for i in range(0, len(text), 4)), picture)


@transaction.atomic
def add_app(user: User, secret: bytes, code: str) -> bool:
    """Add an authenticator app that proves its code, in the place of the one before. Return whether it did."""
    step = _step_of(secret, code)
    if step is None:
        return False
    SecondFactor.objects.filter(account=user, kind=SecondFactor.Kind.APP).delete()
    SecondFactor.objects.create(
        account=user,
        kind=SecondFactor.Kind.APP,
        name=SecondFactor.Kind.APP.label,
        secret=sealing.seal(secret),
        counter=step,
    )
    account_events.record(user, "officer.second_factor_set", {"added": SecondFactor.Kind.APP.value})
    return True


def use_app(user: User, code: str) -> bool:
    """Return whether a code of the account's app is right and not used before; it is used now."""
    factor = SecondFactor.objects.filter(account=user, kind=SecondFactor.Kind.APP).first()
    secret = sealing.unseal(bytes(factor.secret)) if factor else None
    step = _step_of(secret, code) if secret else None
    if factor is None or step is None:
        return False
    unused = SecondFactor.objects.filter(pk=factor.pk, counter__lt=step)
    return bool(unused.update(counter=step, used_at=timezone.now(), secret=sealing.resealed(bytes(factor.secret))))


def _step_of(secret: bytes, code: str) -> int | None:
    """Return the step of time that a code belongs to; None for a wrong one."""
    typed = "".join(code.split())
    if len(typed) != _DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    now = int(timezone.now().timestamp())
    found = [
        now // _STEP_S + off
        for off in _STEPS_OFF
        if constant_time.bytes_eq(_totp(secret).generate(now + off * _STEP_S), typed.encode())
    ]
    return found[0] if found else None


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, _DIGITS, SHA1(), _STEP_S)  # noqa: S303 (HMAC; every authenticator app takes this one)


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Return new recovery codes, shown this once; those before count no more."""
    codes = [_grouped(b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()) for _ in range(_RECOVERY_CODES)]
    RecoveryCode.objects.filter(account=user).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(account=user, digest=_digest(code)) for code in codes)
    account_events.record(user, "officer.second_factor_set", {"added": "recovery codes"})
    return codes


@transaction.atomic
def use_recovery_code(user: User, code: str) -> bool:
    """Return whether a recovery code is the account's and unused; it is used now."""
    unused = RecoveryCode.objects.filter(account=user, digest=_digest(code), used_at=None)
    if not unused.update(used_at=timezone.now()):
        return False
    account_events.record(user, "officer.recovery_code_used", {"left": recovery_codes_left(user)})
    return True


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(account=user, used_at=None).count()


def _grouped(code: str) -> str:
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def _digest(code: str) -> bytes:
    # 80 random bits: there is nothing to guess, so a slow hash would protect nothing.
    return hashlib.sha256("".join(c for c in code.upper() if c.isalnum())[:64].encode()).digest()


@transaction.atomic
def use_code(user: User, code: str) -> str | None:
    """Return by which means a typed code signs in; None for a wrong or used one."""
    if use_app(user, code):
        return OfficerSession.Means.APP
    return OfficerSession.Means.RECOVERY if use_recovery_code(user, code) else None


def has_any(user: User) -> bool:
    return SecondFactor.objects.filter(account=user).exists()


@transaction.atomic
def remove(user: User, number: int) -> bool:
    """Remove one second factor; recovery codes go with the last. Return whether it was there.

    Raises LastFactor where officers need one and this is the only one.
    """
    held = {factor.pk: factor for factor in SecondFactor.objects.select_for_update().filter(account=user)}
    gone = held.pop(number, None)
    if gone is None:
        return False
    if not held and settings.OFFICER_MFA == "required":
        raise LastFactor
    gone.delete()
    if not held:
        RecoveryCode.objects.filter(account=user).delete()
    account_events.record(user, "officer.second_factor_set", {"removed": gone.kind})
    return True


class LastFactor(Exception):
    """Refusal to remove the only second factor of an officer who needs one."""


@transaction.atomic
def recover(user: User) -> None:
    """Remove every second factor and recovery code of an account, by the operator's command."""
    removed = sorted(SecondFactor.objects.filter(account=user).values_list("kind", flat=True))
    SecondFactor.objects.filter(account=user).delete()
    RecoveryCode.objects.filter(account=user).delete()
    account_events.record(user, "officer.recovered", {"removed": removed})
