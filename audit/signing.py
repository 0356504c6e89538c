"""Signing keys for evidence: receipts, evidence bundles, policy bundles.

The private half is derived (HKDF-SHA256, RFC 5869) from the instance's secret and a salt in the key's row, so a copy of
the database signs nothing and every process of an instance has the same key. Retired keys stay published: what they
signed stays verifiable. A key outlives its secret where ``SECRET_KEY_FALLBACKS`` names that: only ``rotate`` replaces
it. Processes that are given different secrets would otherwise retire each other's key.
"""

import os
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit import jws, trail
from audit.models import AuditEvent, SigningKey
from common.http.problems import Unavailable

_CREATED, _RESTORED = "signing_key.created", "signing_key.restored"
_INFO = b"assent evidence signing 1"
_LOCK = 0x61737369676E  # "assign", an advisory lock of ours
# So long a retired key may still sign what is asked for under its name, by those who trust no other yet.
GRACE = timedelta(days=7)


class SigningKeyUnavailable(Unavailable):
    code = "signing_key_unavailable"
    title = "The signing key is not available"


def sign(payload: bytes, *, typ: str) -> str:
    """Sign with the current key; makes one where there is none. ``typ`` keeps kinds of documents apart."""
    key = _private(current_key())
    return jws.sign(payload, key, typ=typ)


def sign_bytes(payload: bytes) -> tuple[bytes, bytes]:
    """Return the public key and the bare Ed25519 signature by the current key, for formats that are no JWS."""
    key = current_key()
    return bytes(key.public_key), _private(key).sign(payload)


def own_keys() -> list[SigningKey]:
    """Return every key of this installation, retired ones included, newest first.

    A key is ours that a secret of this process derives, and one whose making the trail names. A row that was put into
    the database is neither, so what its key signed is no evidence.
    """
    keys = list(SigningKey.objects.order_by("-created_at"))
    others = [key.kid for key in keys if _secret_of(key) is None]
    named = _named_in_trail(others) if others else set()
    return [key for key in keys if key.kid not in others or key.kid in named]


def _named_in_trail(kids: list[str]) -> set[str]:
    made = AuditEvent.objects.filter(action__in=(_CREATED, _RESTORED), object__in=kids)
    return set(made.values_list("object", flat=True))


def public_keys() -> list[bytes]:
    """Return the public half of each key of this installation, newest first."""
    return [bytes(key.public_key) for key in own_keys()]


def is_signed(payload: bytes, signature: bytes, public: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, payload)
    except InvalidSignature:
        return False
    return True


def usable_keys() -> list[SigningKey]:
    """Return the current signing key, then those retired within ``GRACE``, newest first; changes nothing.

    Those of a secret that this process no longer has are left out.
    """
    retired = SigningKey.objects.filter(retired_at__gte=timezone.now() - GRACE).order_by("-created_at")
    current = _current()
    return [key for key in ([current] if current else []) + list(retired) if _secret_of(key) is not None]


def current_key() -> SigningKey:
    """Return the key that signs now; makes one where there is none. Raises SigningKeyUnavailable."""
    key = _current() or _first_key()
    _require_secret(key)
    return key


def is_available() -> bool:
    """Say whether this process can sign, or can make the first key; changes nothing."""
    key = _current()
    return key is None or _secret_of(key) is not None


def _current() -> SigningKey | None:
    return SigningKey.objects.filter(retired_at=None).order_by("-created_at").first()


@transaction.atomic
def _first_key() -> SigningKey:
    _lock()
    return _current() or _made(replaces=None, actor="system")


@transaction.atomic
def rotate(*, actor: str) -> SigningKey:
    """Retire the current key and make a new one from the current secret, which every process must have by then."""
    _lock()
    return _made(replaces=_current(), actor=actor)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _made(*, replaces: SigningKey | None, actor: str) -> SigningKey:
    now = timezone.now()
    SigningKey.objects.filter(retired_at=None).update(retired_at=now)
    salt = os.urandom(16)
    public = _derive(salt, settings.SECRET_KEY).public_key()
    key = SigningKey.objects.create(
        kid=jws.thumbprint(jws.public_jwk(public)), salt=salt, public_key=public.public_bytes_raw(), created_at=now
    )
    trail.record(_CREATED, key.kid, actor=actor, details={"replaces": replaces.kid if replaces else None})
    return key


@transaction.atomic
def adopt(*, kid: str, salt: bytes, public_key: bytes, created_at: datetime, actor: str) -> bool:
    """Take back a key that a restored database has lost; return whether it had.

    The newest key signs, so one that was retired before the loss does not sign again. Raises SigningKeyUnavailable for
    a key of another secret: anyone could have put its name there.
    """
    _lock()
    if SigningKey.objects.filter(kid=kid).exists():
        return False
    key = SigningKey(kid=kid, salt=salt, public_key=public_key, created_at=created_at)
    _require_secret(key)
    if jws.thumbprint(jws.public_jwk(Ed25519PublicKey.from_public_bytes(public_key))) != kid:
        raise SigningKeyUnavailable("The name of the key is not the thumbprint of its public half.")
    current = _current()
    if current is not None and current.created_at > created_at:
        key.retired_at = current.created_at
    else:
        SigningKey.objects.filter(retired_at=None).update(retired_at=created_at)
    key.save(force_insert=True)
    trail.record(_RESTORED, kid, actor=actor)
    return True


def published_keys() -> dict[str, Any]:
    """Return the public keys as a JWK set (RFC 7517), retired ones included, newest first."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": jws.encode(bytes(key.public_key)),
                "kid": key.kid,
                "use": "sig",
                "alg": "EdDSA",
            }
            for key in own_keys()
        ]
    }


def public_pem(key: SigningKey) -> str:
    """Return the public key in PEM, for tools that read no JWK, OPA among them."""
    public = Ed25519PublicKey.from_public_bytes(bytes(key.public_key))
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def derived(key: SigningKey, use: bytes, length: int) -> bytes:
    """Return secret bytes derived from a usable key, for another use than its own signatures."""
    return _expand(bytes(key.salt), _require_secret(key), use, length)


def _private(key: SigningKey) -> Ed25519PrivateKey:
    return _derive(bytes(key.salt), _require_secret(key))


def _require_secret(key: SigningKey) -> str:
    secret = _secret_of(key)
    if secret is None:
        raise SigningKeyUnavailable(
            "The signing key was made under another SECRET_KEY. Give this process that one in SECRET_KEY_FALLBACKS,"
            " or make a new key: ./assent manage signing_keys rotate"
        )
    return secret


def _secret_of(key: SigningKey) -> str | None:
    """Return the secret the key is derived from, among those this process has."""
    salt, public = bytes(key.salt), bytes(key.public_key)
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if _derive(salt, secret).public_key().public_bytes_raw() == public:
            return secret
    return None


@lru_cache(maxsize=32)
def _derive(salt: bytes, secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_expand(salt, secret, _INFO, 32))


def _expand(salt: bytes, secret: str, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret.encode())
