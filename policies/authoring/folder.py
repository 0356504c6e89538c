"""A policy folder as an author keeps it: modules, their tests, and data of its own. Bounded in size when read."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.http import strict_json
from common.http.problems import Problem
from policies import rego

MAX_FILE_BYTES = 256 * 1024
MAX_TOTAL_BYTES = 1024 * 1024
MAX_DATA_BYTES = 4 * 1024 * 1024
MAX_FILES = 200
DATA = "data.json"
SAMPLE = "sample.json"
SHIPPED = rego.FOLDER
SHIPPED_SAMPLE = Path(__file__).parents[2] / "tests" / "cases" / "data.json"
_TEST = "_test.rego"
_NAMES = "a file's name is lower-case letters, digits and underscores, and ends in .rego."
_NAME = re.compile(r"[a-z][a-z0-9_]{0,80}\.rego")


class UnreadableFolder(Problem):
    code = "policy_folder_unreadable"
    title = "The folder cannot be read as policies"


@dataclass(frozen=True)
class Folder:
    """A folder's content. ``overlay`` is added to the registers; ``sample`` stands in for them in the tests."""

    policies: dict[str, str]
    tests: dict[str, str]
    overlay: dict[str, Any]
    sample: dict[str, Any]


def folder_of(texts: Mapping[str, str]) -> Folder:
    """Return a folder from texts by file name. Raises UnreadableFolder."""
    refuse_unbounded(texts)
    rego = {name: text for name, text in sorted(texts.items()) if name.endswith(".rego")}
    return Folder(
        policies={name: text for name, text in rego.items() if not name.endswith(_TEST)},
        tests={name: text for name, text in rego.items() if name.endswith(_TEST)},
        overlay=read_object(DATA, texts.get(DATA, "{}")),
        sample=read_object(SAMPLE, texts.get(SAMPLE, "{}")),
    )


def refuse_unbounded(texts: Mapping[str, str]) -> None:
    """Check names, number of files and size of texts. Raises UnreadableFolder."""
    sizes = {name: len(text.encode()) for name, text in texts.items()}
    for name, size in sizes.items():
        limit = MAX_DATA_BYTES if name in (DATA, SAMPLE) else MAX_FILE_BYTES
        if name not in (DATA, SAMPLE) and not _NAME.fullmatch(name):
            raise UnreadableFolder(f"{name[:100]}: {_NAMES}")
        if size > limit:
            raise UnreadableFolder(f"{name} is larger than {limit // 1024} KiB.")
        if "\0" in texts[name]:
            raise UnreadableFolder(f"{name} holds a character that cannot be stored (NUL).")
    _refuse_too_much([size for name, size in sizes.items() if name.endswith(".rego")])


def _refuse_too_much(sizes: list[int]) -> None:
    if len(sizes) > MAX_FILES or sum(sizes) > MAX_TOTAL_BYTES:
        raise UnreadableFolder(f"At most {MAX_FILES} files and {MAX_TOTAL_BYTES // 1024} KiB of policies are taken.")


def read_folder(path: Path, *, sample: Path | None = None) -> Folder:
    """Read a folder. Raises UnreadableFolder, before a file that is too large is opened."""
    if not path.is_dir():
        raise UnreadableFolder(f"{path} is no folder.")
    files = sorted(path.glob("*.rego"))
    if not files:
        raise UnreadableFolder(f"{path} holds no .rego file.")
    _refuse_too_much([file.stat().st_size for file in files])
    texts = {file.name: _text(file) for file in files}
    return Folder(
        policies={name: text for name, text in texts.items() if not name.endswith(_TEST)},
        tests={name: text for name, text in texts.items() if name.endswith(_TEST)},
        overlay=_data(path / DATA),
        sample=_data(sample or path / SAMPLE),
    )


def _text(file: Path) -> str:
    if not _NAME.fullmatch(file.name):
        raise UnreadableFolder(f"{file.name}: {_NAMES}")
    return _read(file, MAX_FILE_BYTES)


def _data(file: Path) -> dict[str, Any]:
    return read_object(file.name, _read(file, MAX_DATA_BYTES)) if file.exists() else {}


def read_object(name: str, text: str) -> dict[str, Any]:
    """Read a file of data. Raises UnreadableFolder, also for what the database would not store."""
    try:
        value = strict_json.loads_document(text)
        written = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except json.JSONDecodeError as exc:
        raise UnreadableFolder(f"{name}:{exc.lineno}:{exc.colno}: {name} is not JSON: {exc.msg}.") from exc
    except strict_json.InvalidJson as exc:
        raise UnreadableFolder(f"{name} is not JSON that is read in one way only: {exc}") from exc
    except (ValueError, RecursionError) as exc:
        raise UnreadableFolder(f"{name} is not JSON.") from exc
    if not isinstance(value, dict):
        raise UnreadableFolder(f"{name} is not an object.")
    if rb"\u0000" in written:
        raise UnreadableFolder(f"{name} holds a character that cannot be stored (NUL).")
    return value


def _read(file: Path, limit: int) -> str:
    if file.is_symlink() or not file.is_file():
        raise UnreadableFolder(f"{file.name} is no ordinary file.")
    with file.open("rb") as opened:
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise UnreadableFolder(f"{file.name} is larger than {limit // 1024} KiB.")
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        raise UnreadableFolder(f"{file.name} is not UTF-8.") from exc
