"""A folder of policies as an author keeps it: modules, their tests, and data of its own. Nothing huge is ever read."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.problems import Problem

MAX_FILE_BYTES = 256 * 1024
MAX_TOTAL_BYTES = 1024 * 1024
MAX_DATA_BYTES = 4 * 1024 * 1024
MAX_FILES = 200
DATA = "data.json"
SAMPLE = "sample.json"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,80}\.rego")


class UnreadableFolder(Problem):
    code = "policy_folder_unreadable"
    title = "The folder cannot be read as policies"


@dataclass(frozen=True)
class Folder:
    """``overlay`` is added to the registers; ``sample`` stands in for them in the tests."""

    policies: dict[str, str]
    tests: dict[str, str]
    overlay: dict[str, Any]
    sample: dict[str, Any]


def read_folder(path: Path, *, sample: Path | None = None) -> Folder:
    """Read a folder. Raises UnreadableFolder, before a file that is too large is opened."""
    if not path.is_dir():
        raise UnreadableFolder(f"{path} is no folder.")
    files = sorted(path.glob("*.rego"))
    if not files:
        raise UnreadableFolder(f"{path} holds no .rego file.")
    if len(files) > MAX_FILES or sum(file.stat().st_size for file in files) > MAX_TOTAL_BYTES:
        raise UnreadableFolder(f"At most {MAX_FILES} files and {MAX_TOTAL_BYTES // 1024} KiB of policies are taken.")
    texts = {file.name: _text(file) for file in files}
    return Folder(
        policies={name: text for name, text in texts.items() if not name.endswith("_test.rego")},
        tests={name: text for name, text in texts.items() if name.endswith("_test.rego")},
        overlay=_data(path / DATA),
        sample=_data(sample or path / SAMPLE),
    )


def _text(file: Path) -> str:
    if not _NAME.fullmatch(file.name):
        raise UnreadableFolder(f"{file.name}: a file's name is lower-case letters, digits and underscores.")
    return _read(file, MAX_FILE_BYTES)


def _data(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        value = json.loads(_read(file, MAX_DATA_BYTES))
    except (ValueError, RecursionError) as exc:
        raise UnreadableFolder(f"{file.name} is not JSON.") from exc
    if not isinstance(value, dict):
        raise UnreadableFolder(f"{file.name} is not an object.")
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
