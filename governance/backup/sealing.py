"""Encryption of a backup under the key of its instance."""

import secrets
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from common.sealing import stream
from common.sealing.stream import Unsealable

MAGIC = b"assent-backup-1\n"


class NotABackup(Exception):
    """Refusal of a file that is no backup, was changed, or is under another key; the text says which."""


def key(*, create: bool) -> bytes:
    """Return the key of this instance's backups. Raises NotABackup where it is asked for and missing."""
    file = Path(settings.ASSENT_HOME) / "secrets" / "backup_key"
    if not file.exists():
        if not create:
            raise NotABackup(f"The key of the backup, {file}, is missing: put back the secrets of the instance first.")
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32), encoding="ascii")
    return bytes.fromhex(file.read_text(encoding="ascii"))


class Sealer(stream.Sealer):
    """A file to write plain bytes to; ``close`` marks the end."""

    def __init__(self, target: BinaryIO, backup_key: bytes) -> None:
        super().__init__(target, backup_key, MAGIC)


class Opener(stream.Opener):
    """A file to read the plain bytes from. Raises NotABackup."""

    def __init__(self, source: BinaryIO, backup_key: bytes) -> None:
        try:
            super().__init__(source, backup_key, MAGIC)
        except Unsealable:
            raise NotABackup("This is no backup of Assent.") from None

    def _piece(self) -> bytes:
        try:
            return super()._piece()
        except Unsealable:
            raise NotABackup("The backup was changed or cut off, or is under another key.") from None
