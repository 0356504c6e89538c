"""Take a catalogue in from a file: CSV or JSON lines, one item a line, with the members of the API.

In CSV a cell that is empty states nothing, lists are separated by ``|``, and a price has a column of its currency.
"""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from common.http import strict_json
from common.http.problems import InvalidRequest, Problem
from common.http.rest import read_document
from personalization.catalogue import writing
from personalization.catalogue.bodies import BatchEntry
from personalization.catalogue.writing import Change

FORMATS = ("csv", "jsonl")
BATCH = 1_000
MAX_REFUSED = 1_000
_LONGEST = 64 * 1024
_LISTS = ("categories", "legal_flags", "restricted_regions")
_FLAGS = ("offered", "editorial", "promoted")
_NUMBERS = ("stock", "min_age")
COLUMNS = (
    "id", "action", "title", "description", "creator", *_LISTS, *_FLAGS, *_NUMBERS, "price", "currency",
)  # fmt: skip
_TRUTH = {"true": True, "false": False}


class UnusableFile(Problem):
    code = "unusable_file"
    title = "This file cannot be imported"


@dataclass(frozen=True)
class Refusal:
    """Line that was not taken in, and why."""

    line: int
    code: str
    detail: str


@dataclass
class Imported:
    """What became of a file: how many of each outcome, and the lines that were refused."""

    outcomes: dict[str, int] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)


def import_file(path: Path, *, kind: str | None, actor: str, dry_run: bool = False) -> Imported:
    """Take in a file, 1,000 items a transaction. Raises UnusableFile and OSError; a repeat changes nothing."""
    found = Imported()
    with path.open("rb") as raw:
        packed = gzip.GzipFile(fileobj=raw) if path.name.endswith(".gz") else raw
        lines = _entries(packed, _kind(path, kind))  # type: ignore[arg-type]  # a GzipFile is read like a file
        checked = _checked(lines, found)
        while batch := list(islice(checked, BATCH)):
            _write(batch, found, actor, dry_run=dry_run)
            if len(found.refused) >= MAX_REFUSED:
                break
    return found


def _kind(path: Path, chosen: str | None) -> str:
    ending = path.name.removesuffix(".gz").rpartition(".")[2].lower()
    kind = chosen or {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl"}.get(ending)
    if kind not in FORMATS:
        raise UnusableFile("The file's name ends neither in .csv nor in .jsonl; say which it is with --format.")
    return kind


def _write(lines: Sequence[tuple[int, Change]], found: Imported, actor: str, *, dry_run: bool) -> None:
    answers = writing.write([change for _, change in lines], actor=actor, service=None, dry_run=dry_run)
    for (line, _), answer in zip(lines, answers, strict=True):
        if isinstance(answer, Problem):
            found.refused.append(Refusal(line, answer.code, answer.detail))
        else:
            found.outcomes[answer.outcome] = found.outcomes.get(answer.outcome, 0) + 1


def _checked(lines: Iterator[tuple[int, dict[str, Any] | Problem]], found: Imported) -> Iterator[tuple[int, Change]]:
    seen: dict[str, int] = {}
    for line, entry in lines:
        try:
            if isinstance(entry, Problem):
                raise entry
            change = read_document(BatchEntry, entry).change()
            if change.item in seen:
                raise InvalidRequest(f"Line {seen[change.item]} names the item already.")
        except Problem as fault:
            found.refused.append(Refusal(line, fault.code, _said(fault)))
        else:
            seen[change.item] = line
            yield line, change


def _said(fault: Problem) -> str:
    errors: Mapping[str, list[str]] = fault.errors or {}
    return "; ".join(f"{member}: {', '.join(what)}" for member, what in errors.items()) or fault.detail


def _entries(stream: IO[bytes], kind: str) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    return _rows_of_csv(stream) if kind == "csv" else _rows_of_json(stream)


def _rows_of_json(stream: IO[bytes]) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    for number, line in enumerate(_whole_lines(stream), 1):
        if line.strip():
            try:
                yield number, strict_json.loads_object(line)
            except strict_json.InvalidJson as exc:
                yield number, InvalidRequest(str(exc).replace("body", "line"))


def _whole_lines(stream: IO[bytes]) -> Iterator[bytes]:
    try:
        while line := stream.readline(_LONGEST + 1):
            if len(line) > _LONGEST:
                raise UnusableFile(f"A line is longer than {_LONGEST // 1024} KiB.")
            yield line
    except (EOFError, gzip.BadGzipFile) as exc:
        raise UnusableFile("The packed file is damaged or cut short.") from exc


def _rows_of_csv(stream: IO[bytes]) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header)
        for cells in reader:
            if cells:
                yield reader.line_num, _of_cells(header, cells)
    except UnicodeDecodeError:
        raise UnusableFile("The file is not UTF-8.") from None
    except (EOFError, gzip.BadGzipFile) as exc:
        raise UnusableFile("The packed file is damaged or cut short.") from exc
    except csv.Error:
        raise UnusableFile(f"Line {reader.line_num} is not CSV: a quote is open or out of place.") from None
    finally:
        text.detach()  # the file is closed where it was opened


def _check_header(names: list[str]) -> None:
    for place, name in enumerate(names, 1):
        if name not in COLUMNS:
            raise UnusableFile(f"Column {place} has a name that is not known; known are: {', '.join(COLUMNS)}.")
    if len(set(names)) != len(names):
        raise UnusableFile("A column stands in the first line twice.")
    if "id" not in names:
        raise UnusableFile("The first line does not name: id.")


def _of_cells(header: list[str], cells: list[str]) -> dict[str, Any] | Problem:
    if len(cells) != len(header):
        return InvalidRequest(f"The line has {len(cells)} cells where the first line names {len(header)}.")
    stated = {name: text for name, cell in zip(header, cells, strict=True) if (text := cell.strip())}
    entry: dict[str, Any] = {name: _value(name, text) for name, text in stated.items() if name not in _PRICE}
    if stated.keys() & set(_PRICE):
        entry["price"] = {member: stated[name] for name, member in _PRICE.items() if name in stated}
    return entry


_PRICE = {"price": "amount", "currency": "currency"}


def _value(name: str, text: str) -> Any:
    """Return a cell as JSON would state it; what cannot be read stays text, which the member then refuses."""
    if name in _LISTS:
        return [part.strip() for part in text.split("|")]
    if name in _FLAGS:
        return _TRUTH.get(text.lower(), text)
    if name in _NUMBERS:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else text
    return text
