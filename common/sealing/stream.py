"""Encryption of a file as a stream: AES-256-GCM in pieces of 1 MiB, in order and with a marked end.

A piece moved, removed or changed, and a file cut off, are found where they are read. A file begins with the line of its
kind, which is authenticated with every piece: a file of one kind is none of another.
"""

import io
import os
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SALT, _PIECE, _TAG = 32, 1 << 20, 16


class Unsealable(Exception):
    """Refusal of a file that is of another kind, was changed or cut off, or is under another key."""


def _cipher(key: bytes, salt: bytes, kind: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, salt, kind).derive(key))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


class Sealer(io.RawIOBase):
    """A file to write plain bytes to; ``close`` marks the end."""

    def __init__(self, target: BinaryIO, key: bytes, kind: bytes) -> None:
        salt = os.urandom(_SALT)
        target.write(kind + salt)
        self._kind, self._cipher = kind, _cipher(key, salt, kind)
        self._target, self._number, self._rest = target, 0, bytearray()

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
        self._target.write(self._cipher.encrypt(_nonce(self._number, is_last=is_last), piece, self._kind))
        self._number += 1


class Opener(io.RawIOBase):
    """A file to read the plain bytes from. Raises Unsealable."""

    def __init__(self, source: BinaryIO, key: bytes, kind: bytes) -> None:
        if source.read(len(kind)) != kind:
            raise Unsealable("The file is of another kind.")
        self._kind, self._source = kind, source
        self._cipher = _cipher(key, source.read(_SALT), kind)
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
            plain = self._cipher.decrypt(_nonce(self._number, is_last=not self._ahead), piece, self._kind)
        except InvalidTag:
            raise Unsealable("The file was changed or cut off, or is under another key.") from None
        self._number += 1
        return plain
