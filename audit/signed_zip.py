"""Zips that prove themselves: files under a signed list of their digests, so that none can be exchanged or left out."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from audit import jws
from audit.jws import NotGenuine

MANIFEST = "manifest.jws"
_MAX_BYTES = 64 * 1024 * 1024
_MAX_FILES = 20_000


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def build(files: Mapping[str, bytes], manifest: Mapping[str, Any], *, typ: str) -> bytes:
    """Return the zip, with ``manifest`` and the SHA-256 of each file signed as ``manifest.jws``."""
    from audit import signing  # whoever verifies a file has no database, and no keys in one

    said = {**manifest, "files": digests(files)}
    token = signing.sign(json.dumps(said, sort_keys=True, separators=(",", ":")).encode(), typ=typ)
    return _zipped({**files, MANIFEST: token.encode()})


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            # A fixed time: equal content makes an equal file.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def text(value: Any) -> bytes:
    """Return a file's content as JSON that a person can read."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode()


def read(data: bytes, *, typ: str, trusted: Mapping[str, Any] | None) -> tuple[dict[str, bytes], dict[str, Any], str]:
    """Return the files, the manifest and the id of the key of a genuine zip. Raises NotGenuine with the reason.

    ``trusted``: public keys by id, where only these are believed.
    """
    files = unzipped(data)
    payload, kid = jws.verify(files.pop(MANIFEST, b"").decode("ascii", "replace"), typ=typ, trusted=trusted)
    try:
        manifest: dict[str, Any] = json.loads(payload)
        is_whole = manifest["files"] == digests(files)
    except (KeyError, TypeError, ValueError, RecursionError):
        raise NotGenuine("The signed content is not a list of files.") from None
    if not is_whole:
        raise NotGenuine("A file was changed, added or taken away.")
    return files, manifest, kid


def unzipped(data: bytes) -> dict[str, bytes]:
    """Return the files of a zip. Raises NotGenuine for one that is too large, names a file twice, or is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > _MAX_FILES or sum(entry.file_size for entry in entries) > _MAX_BYTES:
                raise NotGenuine("The file is too large for an evidence file.")
            if len({entry.filename for entry in entries}) != len(entries):
                raise NotGenuine("A file is in there twice.")
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        raise NotGenuine("The file is not a zip.") from None
