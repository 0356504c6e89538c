"""The body of a request as it arrives: in memory, and above a limit in a temporary file."""

import tempfile
from io import BytesIO
from typing import IO

from governance.front import limits
from governance.front.messages.refusals import Refusal


class Body:
    """Collects a body; ``at_most`` bytes of it."""

    __slots__ = ("_at_most", "_file", "_parts", "size")

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._parts: list[bytes] = []
        self._file: IO[bytes] | None = None
        self.size = 0

    def append(self, data: bytes) -> None:
        """Add what arrived. Raises Refusal (413) beyond the limit."""
        self.size += len(data)
        if self.size > self._at_most:
            raise too_large(self._at_most)
        if self._file is not None:
            self._file.write(data)
            return
        self._parts.append(data)
        if self.size > limits.BODY_MEMORY_BYTES:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by ``close``)
            self._file.writelines(self._parts)
            self._parts.clear()

    def stream(self) -> IO[bytes]:
        """Return what an application reads."""
        if self._file is None:
            return BytesIO(b"".join(self._parts))
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Drop what is held on disk."""
        if self._file is not None:
            self._file.close()


def too_large(at_most: int) -> Refusal:
    """Return the refusal of a body above ``at_most`` bytes."""
    return Refusal(413, "body_too_large", f"The body is larger than {at_most // limits.KIB} KiB.")
