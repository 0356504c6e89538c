"""What a person wrote with a request, sealed under the request's own key until the request closes.

The key comes from the instance's secret and the request's salt; without the salt, which goes when the request closes,
no copy of the database opens it.
"""

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

Stored: TypeAlias = "bytes | memoryview[int] | None"
_INFO = b"assent rights request 1"


@dataclass(frozen=True)
class Said:
    """What a person said: in their words, and what they want corrected to which value.

    ``subject``: the id that was shown, where other cells have to be asked by it.
    """

    words: str = ""
    correction: Mapping[str, str] = field(default_factory=dict)
    subject: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.words or self.correction or self.subject)


NOTHING = Said()


def seal(said: Said) -> tuple[bytes, bytes]:
    """Return what was said, sealed, and its salt."""
    members = {"words": said.words, "correction": dict(said.correction), "subject": dict(said.subject)}
    return seal_text(json.dumps(members, ensure_ascii=False))


def unseal(sealed: Stored, salt: Stored) -> Said:
    """Return what was said; nothing where it has ended, or this process has no secret that opens it."""
    text = unseal_text(sealed, salt)
    return NOTHING if text is None else _read(text)


def seal_text(text: str) -> tuple[bytes, bytes]:
    """Return a text sealed under a key of its own, and the salt that this key is made from."""
    salt = os.urandom(16)
    return _box(salt, settings.SECRET_KEY).encrypt(text.encode()), salt


def unseal_text(sealed: Stored, salt: Stored) -> str | None:
    """Return a sealed text; None where it has ended, or this process has no secret that opens it."""
    if sealed is None or salt is None:
        return None
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _box(bytes(salt), secret).decrypt(bytes(sealed)).decode()
        except InvalidToken:
            continue
    return None


def _read(text: str) -> Said:
    try:
        document = json.loads(text)
        return Said(document["words"], document["correction"], document["subject"])
    except (ValueError, TypeError, KeyError):
        return Said(text)  # of a request that an older release sealed: the words alone


def _box(salt: bytes, secret: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=salt, info=_INFO).derive(secret.encode())
    return Fernet(urlsafe_b64encode(derived))
