"""Keys of pseudonyms of this installation: those of PSEUDONYM_KEYS, else derived from its secrets."""

import hashlib

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from privacy.anonymisation.actions.keys import Key, KeyRing

_INFO = b"assent pseudonyms of releases 1"


def ring() -> KeyRing:
    """Return the keys, the current one first. A derived one is named by its digest, and goes with its secret."""
    if settings.PSEUDONYM_KEYS is not None:
        stated: KeyRing = settings.PSEUDONYM_KEYS
        return stated
    return KeyRing(tuple(map(_derived, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))))


def _derived(secret: str) -> Key:
    key = HKDF(SHA256(), length=32, salt=None, info=_INFO).derive(secret.encode())
    return Key(hashlib.sha256(b"id\0" + key).hexdigest()[:8], key)
