"""What a person wrote with a request, sealed under the request's own key until the request closes.

The key comes from the instance's secret and the request's salt; without the salt, which goes when the request closes,
no copy of the database opens it.
"""

import os
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_INFO = b"assent rights request 1"


def seal(text: str) -> tuple[bytes, bytes]:
    """Return what was sealed, and its salt."""
    salt = os.urandom(16)
    return _box(salt, settings.SECRET_KEY).encrypt(text.encode()), salt


def unseal(sealed: "bytes | memoryview[int] | None", salt: "bytes | memoryview[int] | None") -> str | None:
    """Return the text; None where it has ended, or this process has no secret that opens it."""
    if sealed is None or salt is None:
        return None
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _box(bytes(salt), secret).decrypt(bytes(sealed)).decode()
        except InvalidToken:
            continue
    return None


def _box(salt: bytes, secret: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=salt, info=_INFO).derive(secret.encode())
    return Fernet(urlsafe_b64encode(derived))
