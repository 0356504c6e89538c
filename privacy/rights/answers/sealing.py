"""Encryption of answers at rest: under the instance's secret and the request's id, so none opens another's."""

from base64 import urlsafe_b64encode
from uuid import UUID

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_INFO = b"assent answer package 1"


def seal(content: bytes, request: UUID) -> bytes:
    return _box(request).encrypt(content)


def unseal(sealed: bytes, request: UUID) -> bytes:
    """Return the content. Raises InvalidToken where no secret of this process opens it."""
    return _box(request).decrypt(sealed)


def _box(request: UUID) -> MultiFernet:
    return MultiFernet([_key(secret, request) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str, request: UUID) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=request.bytes, info=_INFO).derive(secret.encode())
    return Fernet(urlsafe_b64encode(derived))
