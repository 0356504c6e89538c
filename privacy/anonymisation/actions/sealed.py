"""Values encrypted under a key of their person: once the key is deleted, no copy of them can be read anywhere.

AES-SIV (RFC 5297): the same value of a person is the same text, that of another person another. Values are padded to
blocks of 16 bytes, so their length shows in such steps only.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from privacy.anonymisation.actions.forms import spelt
from privacy.anonymisation.actions.vault import PersonKey

SEALED = re.compile(r"(?P<name>[0-9a-f]{32})\.(?P<text>[A-Za-z0-9_-]+)", re.ASCII)
_BLOCK = 16


def seal(value: str, key: PersonKey) -> str:
    """Return a value as a receiver of the copy sees it."""
    content = spelt(value).encode() + b"\x80"
    content += bytes(-len(content) % _BLOCK)
    sealed = AESSIV(key.secret).encrypt(content, [key.name.encode()])
    return f"{key.name}.{urlsafe_b64encode(sealed).decode().rstrip('=')}"


def unseal(text: str, key: PersonKey) -> str | None:
    """Return the value; None where the key is another's, or the text was altered."""
    found = SEALED.fullmatch(text)
    if found is None or found["name"] != key.name:
        return None
    try:
        sealed = urlsafe_b64decode(found["text"] + "=" * (-len(found["text"]) % 4))
        content = AESSIV(key.secret).decrypt(sealed, [key.name.encode()])
    except (InvalidTag, ValueError):
        return None
    return content.rstrip(b"\0")[:-1].decode()
