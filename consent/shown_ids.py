"""Id that a person's session was opened with, kept only where other cells may have to be asked about the person by it.

Each cell has pseudonyms of its own, so a pseudonym says nothing to another one. The id is sealed under the link's token
and, once that is opened, under the session's secret: only the person's browser has it, and the database its SHA-256.
Neither a copy of the database nor this installation can read the id without the person's request.
"""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consent import residence

_INFO = b"assent shown id 1"


@dataclass(frozen=True)
class Shown:
    """A person by the business's own id, as a door was shown it."""

    id: str
    type: str = "data_subject"

    def document(self) -> dict[str, str]:
        return {"id": self.id, "type": self.type}


def sealed(shown: Shown | None, secret: str) -> bytes | None:
    """Return the id sealed under a secret; None where no other cell may need it."""
    if shown is None or not residence.is_shared():
        return None
    return _box(secret).encrypt(json.dumps(shown.document()).encode())


def opened(kept: "bytes | memoryview[int] | None", secret: str) -> Shown | None:
    """Return the id that was sealed under a secret; None where none was kept, or another secret sealed it."""
    if kept is None:
        return None
    try:
        return Shown(**json.loads(_box(secret).decrypt(bytes(kept))))
    except InvalidToken:
        return None


def _box(secret: str) -> Fernet:
    # The secret has 256 random bits, so it needs no salt.
    return Fernet(urlsafe_b64encode(HKDF(SHA256(), length=32, salt=None, info=_INFO).derive(secret.encode())))
