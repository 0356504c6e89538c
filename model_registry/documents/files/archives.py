"""Archives of documents: a zip of a README.md and JSON files, read in memory and never unpacked to a disk.

A document is known by its file's name: ``README.md`` is a card, ``dpia.json`` an assessment in our own JSON, and any
other JSON is known by its first members. Files of ``.eval_results`` add their figures to the card. An archive holds
documents and nothing else. Sizes are those of what is read, not those that the archive states.
"""

import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import PurePosixPath
from stat import S_ISLNK, S_ISREG
from typing import NamedTuple

from django.db import transaction
from pydantic import BaseModel

from model_registry.documents import keeping
from model_registry.documents.card import ModelCard
from model_registry.documents.files import eval_results
from model_registry.documents.kinds import KINDS
from model_registry.documents.models import Document
from model_registry.documents.reading import MAX_BYTES
from model_registry.documents.refusal import DocumentRefused
from model_registry.models import ModelVersion

Kept = list[Document]
# How a zip begins: with a file, without any, and split.
MARKS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_MAX_FILES = 20
_SUFFIXES = (".md", ".markdown", ".json")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Found(NamedTuple):
    """A document of an archive: its kind, what it says, and the bytes it was read from with their form."""

    kind: str
    document: BaseModel
    form: str
    source: bytes


def read(data: bytes) -> list[Found]:
    """Return the documents of an archive, all of them or none. Raises DocumentRefused with file and line."""
    if len(data) > MAX_BYTES:
        raise DocumentRefused(f"The archive is larger than {MAX_BYTES // 1024:,} KiB.")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _documents(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError) as exc:
        raise DocumentRefused(f"This is no zip archive that can be read ({type(exc).__name__}).") from None


@transaction.atomic
def take_in(version: ModelVersion, name: str, data: bytes, *, actor: str, form: str = "", kind: str = "card") -> Kept:
    """Keep the document of a file, or all those of an archive. Raises DocumentRefused, and nothing is kept then."""
    if not form and data.startswith(MARKS):
        found = read(data)
    else:
        as_form = form or keeping.guess_form(name, data)
        found = [Found(*keeping.read(data, as_form, kind), as_form, data)]
    return [
        keeping.keep(version, each.kind, each.document, actor=actor, form=each.form, source=each.source)
        for each in found
    ]


def _documents(archive: zipfile.ZipFile) -> list[Found]:
    entries = [each for each in archive.infolist() if not each.is_dir()]
    _check(entries)
    found: dict[str, Found] = {}
    results: dict[str, bytes] = {}
    left = MAX_BYTES
    for entry in entries:
        content = _content(archive, entry, left)
        left -= len(content)
        if eval_results.is_one(entry.filename):
            results[entry.filename] = content
            continue
        one = _document(entry.filename, content)
        if one.kind in found:
            raise _refuse(entry.filename, f"The archive holds two documents of the kind “{one.kind}”.")
        found[one.kind] = one
    if results:
        found["card"] = _with_results(found.get("card"), results)
    return list(found.values())


def _with_results(card: Found | None, results: Mapping[str, bytes]) -> Found:
    """Return the card of an archive with the figures that stand in files of their own."""
    if card is None or not isinstance(card.document, ModelCard):
        raise _refuse(next(iter(results)), "These results belong to a card, and the archive holds none.")
    return card._replace(document=eval_results.added(card.document, results))


def _check(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse by the list of files, before any is read."""
    if not 0 < len(entries) <= _MAX_FILES:
        raise DocumentRefused(f"An archive holds 1 to {_MAX_FILES} files; this one {len(entries):,}.")
    names: set[str] = set()
    for entry in entries:
        if why := _why_not(entry, names):
            raise _refuse(entry.filename, why)
        names.add(entry.filename.casefold())


def _why_not(entry: zipfile.ZipInfo, names: set[str]) -> str:
    path, mode = PurePosixPath(entry.filename), entry.external_attr >> 16
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename:
        return "The path leads out of the archive."
    if S_ISLNK(mode) or (mode and not S_ISREG(mode) and mode & 0o170000):
        return "Links and devices are not taken in."
    if entry.flag_bits & 1:
        return "It is encrypted."
    if entry.compress_type not in _METHODS:
        return "Its compression is not taken in: store or deflate it."
    if entry.filename.casefold() in names:
        return "Two files have this name."
    if path.suffix.lower() not in _SUFFIXES and not eval_results.is_one(entry.filename):
        return f"This is no document: an archive holds {', '.join(_SUFFIXES)} and nothing else."
    return ""


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    with archive.open(entry) as file:
        content = file.read(left + 1)
    if len(content) > left:
        raise _refuse(entry.filename, f"Unpacked, the archive is larger than {MAX_BYTES // 1024:,} KiB.")
    return content


def _document(name: str, content: bytes) -> Found:
    form = keeping.guess_form(name, content)
    stem = PurePosixPath(name).stem.lower()
    try:
        kind, document = keeping.read(content, form, stem if stem in KINDS else "card")
    except DocumentRefused as refused:
        raise DocumentRefused(f"{_shown(name)}: {refused.detail}", line=None) from None
    return Found(kind, document, form, content)


def _refuse(name: str, why: str) -> DocumentRefused:
    return DocumentRefused(f"{_shown(name)}: {why}")


def _shown(name: str) -> str:
    """Return a file's name as far as it can be shown."""
    return "".join(each if each.isprintable() else "?" for each in name)[:80]
