"""Keys of pseudonyms: the current one first, former ones after it, each with a short id.

Read from a file or the environment, ``ID:HEX`` separated by white space or commas; an installation may derive them from
its secret. Each use has a key of its own, made by HMAC from the secret and the name of the use.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from privacy.anonymisation.errors import AnonymisationError

VARIABLE = "PSEUDONYM_KEYS"
_KEY = re.compile(r"(?P<id>[a-z0-9]{1,16}):(?P<secret>([0-9a-f]{2}){32,64})", re.ASCII)
FORM = "ID:HEX, with an id of 1 to 16 small letters and digits and 64 to 128 hexadecimal digits"


@dataclass(frozen=True)
class Key:
    id: str
    secret: bytes = field(repr=False)

    def for_use(self, use: str) -> bytes:
        """Return the key of one use: from it, neither the secret nor another use's key can be found."""
        return hmac.digest(self.secret, f"assent {use} 1".encode(), hashlib.sha256)


@dataclass(frozen=True)
class KeyRing:
    """Keys, the current one first, none twice."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        return self.keys[0]

    def since(self, key_id: str) -> tuple[Key, ...] | None:
        """Return the keys that came after one, oldest first; None for an id that the ring does not have."""
        ids = [key.id for key in self.keys]
        return tuple(reversed(self.keys[: ids.index(key_id)])) if key_id in ids else None


def read(text: str) -> KeyRing:
    """Read keys. Raises AnonymisationError, which quotes nothing of them."""
    found = [_KEY.fullmatch(part) for part in re.split(r"[\s,]+", text.strip())]
    if not all(found):
        raise AnonymisationError(f"Keys of pseudonyms are {FORM}, by commas or one a line; the current one first.")
    keys = tuple(Key(each["id"], bytes.fromhex(each["secret"])) for each in found if each is not None)
    if len({key.id for key in keys}) != len(keys) or len({key.secret for key in keys}) != len(keys):
        raise AnonymisationError("Two keys of pseudonyms have one id, or one secret.")
    return KeyRing(keys)


def from_outside(file: Path | None, environment: Mapping[str, str] = os.environ) -> KeyRing | None:
    """Return the keys of a file, else those that the environment holds or names a file of; None without any."""
    named = environment.get(f"{VARIABLE}_FILE")
    path = file or (Path(named) if named else None)
    if path is not None:
        if path.stat().st_mode & 0o077:
            raise AnonymisationError(f"'{path.name}' holds keys and may be read by others: chmod 600 it.")
        return read(path.read_text(encoding="ascii", errors="replace"))
    return read(environment[VARIABLE]) if environment.get(VARIABLE) else None
