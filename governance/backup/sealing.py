"""Encryption of a backup as a stream: AES-256-GCM in pieces of 1 MiB, in order and with a marked end.

A piece moved, removed or changed, and a file cut off, are found where they are read.
"""

import io
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

MAGIC = b"assent-backup-1\n"
_SALT, _PIECE, _TAG = 32, 1 << 20, 16


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


def _cipher(backup_key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, salt, MAGIC).derive(backup_key))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


class Sealer(io.RawIOBase):
    """A file to write plain bytes to; ``close`` marks the end."""

    def __init__(self, target: BinaryIO, backup_key: bytes) -> None:
        salt = os.urandom(_SALT)
        target.write(MAGIC + salt)
        self._target, self._cipher, self._number, self._rest = target, _cipher(backup_key, salt), 0, bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # plain bytes are all that is written here
        self._rest += data
        while len(self._rest) > _PIECE:
            self._put(bytes(self._rest[:_PIECE]), is_last=False)
            del self._rest[:_PIECE]
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._put(bytes(self._rest), is_last=True)
            super().close()

    def _put(self, piece: bytes, *, is_last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._number, is_last=is_last), piece, MAGIC))
        self._number += 1


class Opener(io.RawIOBase):
    """A file to read the plain bytes from. Raises NotABackup."""

    def __init__(self, source: BinaryIO, backup_key: bytes) -> None:
        if source.read(len(MAGIC)) != MAGIC:
            raise NotABackup("This is no backup of Assent.")
        self._source, self._cipher = source, _cipher(backup_key, source.read(_SALT))
        self._number, self._rest, self._ahead = 0, b"", source.read(_PIECE + _TAG)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # as io.RawIOBase calls it
        if not self._rest and self._ahead:
            self._rest = self._piece()
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def _piece(self) -> bytes:
        piece, self._ahead = self._ahead, self._source.read(_PIECE + _TAG)
        try:
            plain = self._cipher.decrypt(_nonce(self._number, is_last=not self._ahead), piece, MAGIC)
        except InvalidTag:
            raise NotABackup("The backup was changed or cut off, or is under another key.") from None
        self._number += 1
        return plain
