"""Encryption of what must be readable again: an authenticator app's secret, under the instance's own.

A copy of the database makes no codes. What a former secret sealed stays readable while ``SECRET_KEY_FALLBACKS`` has it.
"""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_INFO = b"assent officer second factor 1"


def seal(secret: bytes) -> bytes:
    return _box().encrypt(secret)


def unseal(sealed: bytes) -> bytes | None:
    """Return what was sealed; None where this process has no secret that opens it."""
    try:
        return _box().decrypt(sealed)
    except InvalidToken:
        return None


def resealed(sealed: bytes) -> bytes:
    """Return the same under the current secret. It must be one that ``unseal`` reads."""
    return _box().rotate(sealed)


def _box() -> MultiFernet:
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=_INFO).derive(secret.encode())
    return Fernet(urlsafe_b64encode(derived))
