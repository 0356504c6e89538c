"""Cell table: the cells of this deployment as its file names them. Django-free: the settings read it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

NAME = r"^[a-z][a-z0-9-]{0,15}$"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One cell: where it processes, where it is reached, and the file with the credential it is called with."""

    name: Annotated[str, msgspec.Meta(pattern=NAME)]
    processing_region: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{2,32}$")]
    url: str
    token_file: Path | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    cells: Annotated[list[Cell], msgspec.Meta(min_length=2, max_length=16)]
    primary: str
    keys_file: Path | None = None


@dataclass(frozen=True)
class Table:
    """All cells in the order of the file, which every cell has to share, and which of them this installation is."""

    own: Cell
    primary: Cell
    cells: tuple[Cell, ...]
    keys: dict[str, Any]  # the primary's published keys by key id; empty in the primary itself

    @property
    def is_primary(self) -> bool:
        return self.own == self.primary


def read_table(path: Path, own: str) -> Table:
    """Read the file. Raises ValueError with a sentence that says what is wrong; no secret is part of it."""
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File, dec_hook=_path)
    except OSError as exc:
        raise ValueError(f"CELLS_FILE cannot be read: {exc.strerror}") from exc
    except msgspec.DecodeError as exc:
        raise ValueError(f"CELLS_FILE is not as it should be: {exc}") from None
    file = _anchored(path, file)
    by_name = {cell.name: cell for cell in file.cells}
    _require(len(by_name) == len(file.cells), "CELLS_FILE names a cell twice")
    regions = {cell.processing_region for cell in file.cells}
    _require(len(regions) == len(file.cells), "CELLS_FILE has two cells in one processing region")
    _require(own in by_name, "CELL is not among the cells of CELLS_FILE")
    _require(file.primary in by_name, "CELLS_FILE names a primary that is none of its cells")
    for cell in file.cells:
        _check(cell, own)
    return Table(by_name[own], by_name[file.primary], tuple(file.cells), _keys(file, own))


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError


def _anchored(path: Path, file: _File) -> _File:
    """Resolve a path against the file's own folder."""
    here = path.absolute().parent
    cells = [msgspec.structs.replace(c, token_file=c.token_file and here / c.token_file) for c in file.cells]
    return msgspec.structs.replace(file, cells=cells, keys_file=file.keys_file and here / file.keys_file)


def _check(cell: Cell, own: str) -> None:
    _require(_URL.fullmatch(cell.url) is not None, f"the url of cell '{cell.name}' is not an origin")
    try:
        parts = urlsplit(cell.url)
        is_local, _port = parts.hostname in _LOOPBACK, parts.port
    except ValueError:
        raise ValueError(f"the url of cell '{cell.name}' is not an origin") from None
    _require(parts.scheme == "https" or is_local, f"cell '{cell.name}' has to be called by https")
    if cell.name != own:
        read_token(cell)


def read_token(cell: Cell) -> str:
    """Return the credential the cell is called with, as its file holds it now. Raises ValueError."""
    if cell.token_file is None:
        raise ValueError(f"cell '{cell.name}' has no token_file")
    try:
        token = cell.token_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"the token_file of cell '{cell.name}' cannot be read") from None
    _require(32 <= len(token) <= 512 and token.isprintable(), f"the token_file of cell '{cell.name}' holds no token")
    return token


def _keys(file: _File, own: str) -> dict[str, Any]:
    """Return the keys that verify releases; they came another way than the releases do."""
    if own == file.primary:
        return {}
    if file.keys_file is None:
        raise ValueError("CELLS_FILE needs keys_file: the published keys of the primary cell")
    try:
        keys = {key["kid"]: key for key in json.loads(file.keys_file.read_bytes())["keys"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise ValueError("the keys_file of CELLS_FILE is no readable set of keys (JWKS)") from None
    _require(bool(keys), "the keys_file of CELLS_FILE holds no key")
    return keys


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
