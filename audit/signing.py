"""Signing keys for evidence: receipts, evidence bundles, policy bundles.

The private half is derived (HKDF-SHA256, RFC 5869) from the instance's secret and a salt in the key's row, so a copy of
the database signs nothing and every process of an instance has the same key. Retired keys stay published: what they
signed stays verifiable. A changed secret retires the key by itself at the next signature.
"""

import os
from datetime import timedelta
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit import jws, trail
from audit.models import SigningKey

_INFO = b"assent evidence signing 1"
_LOCK = 0x61737369676E  # "assign", an advisory lock of ours
# So long a retired key may still sign what is asked for under its name, by those who trust no other yet.
GRACE = timedelta(days=7)


def sign(payload: bytes, *, typ: str) -> str:
    """Sign with the current key; makes one where there is none. ``typ`` keeps kinds of documents apart."""
    key = _private(current_key())
    return jws.sign(payload, key, typ=typ)


def usable_keys() -> list[SigningKey]:
    """Return the current signing key, then those retired within ``GRACE``, newest first.

    A changed secret ends them all.
    """
    current = current_key()
    retired = SigningKey.objects.filter(retired_at__gte=timezone.now() - GRACE).order_by("-created_at")
    return [current, *(key for key in retired if _matches(key))]


def current_key() -> SigningKey:
    """Return the key that signs now."""
    key = SigningKey.objects.filter(retired_at=None).order_by("-created_at").first()
    if key is not None and _matches(key):
        return key
    return rotate(actor="system", unless_usable=True)


@transaction.atomic
def rotate(*, actor: str, unless_usable: bool = False) -> SigningKey:
    """Retire the current key and make a new one. Two processes that rotate at once make one key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    current = SigningKey.objects.filter(retired_at=None).order_by("-created_at").first()
    if unless_usable and current is not None and _matches(current):
        return current
    now = timezone.now()
    SigningKey.objects.filter(retired_at=None).update(retired_at=now)
    salt = os.urandom(16)
    public = _derive(salt, settings.SECRET_KEY).public_key()
    key = SigningKey.objects.create(
        kid=jws.thumbprint(jws.public_jwk(public)), salt=salt, public_key=public.public_bytes_raw(), created_at=now
    )
    trail.record("signing_key.created", key.kid, actor=actor, details={"replaces": current.kid if current else None})
    return key


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
            for key in SigningKey.objects.order_by("-created_at")
        ]
    }


def public_pem(key: SigningKey) -> str:
    """Return the public key in PEM, for tools that read no JWK, OPA among them."""
    public = Ed25519PublicKey.from_public_bytes(bytes(key.public_key))
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def derived(key: SigningKey, use: bytes, length: int) -> bytes:
    """Return secret bytes derived from a usable key, for another use than its own signatures."""
    return _expand(bytes(key.salt), settings.SECRET_KEY, use, length)


def _private(key: SigningKey) -> Ed25519PrivateKey:
    return _derive(bytes(key.salt), settings.SECRET_KEY)


def _matches(key: SigningKey) -> bool:
    return _private(key).public_key().public_bytes_raw() == bytes(key.public_key)


@lru_cache(maxsize=4)
def _derive(salt: bytes, secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_expand(salt, secret, _INFO, 32))


def _expand(salt: bytes, secret: str, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret.encode())
