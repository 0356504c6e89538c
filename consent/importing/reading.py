"""Read CSV or JSON lines, one line at a time: a row, or why there is none. No message repeats a line's content."""

import csv
import gzip
import re
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from common import patterns
from common.http import strict_json
from common.http.problems import Problem
from consent.pseudonyms import MISSING, UNUSABLE, checked

_LONGEST = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_MARKS_OF_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# What lies before is what a program wrote for no time at all (1970, 1980), or a number that it took for seconds.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
FORMATS = ("csv", "jsonl")

Name = Annotated[str, Meta(pattern=rf"\A{patterns.NAME}\Z")]
Moment = Annotated[datetime, Meta(tz=True)]


class ImportRow(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One choice of one person, as the other system exported it."""

    subject_id: Annotated[str, Meta(min_length=1, max_length=256)]
    purpose: Annotated[str, Meta(pattern=rf"\A{patterns.SLUG}\Z")]
    choice: Literal["give", "refuse", "withdraw", "object"]
    recorded_at: Moment
    subject_type: Annotated[str, Meta(min_length=1, max_length=64)] = "data_subject"
    region: Annotated[str, Meta(pattern=rf"\A{patterns.REGION}\Z")] | None = None
    age_band: Literal["adult", "minor", "child", "unknown"] | None = None
    channel: Name | None = None
    recipient: Name | None = None
    data_category: Name | None = None
    explicit: bool = False
    notice_version: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    locale: Annotated[str, Meta(pattern=rf"\A{patterns.LANGUAGE_TAG}\Z", max_length=35)] | None = None
    interface: Annotated[str, Meta(pattern=r"\A[a-z0-9_.@-]{1,64}\Z")] | None = None
    layout_sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")] | None = None
    source: Annotated[str, Meta(pattern=rf"\A{patterns.WORD}\Z")] | None = None
    expires_at: Moment | None = None
    gpc: bool = False
    guardian_id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    guardian_method: Annotated[str, Meta(pattern=rf"\A{patterns.METHOD}\Z")] | None = None
    adult_on: date | None = None

    @property
    def guardian(self) -> tuple[str, str, date] | None:
        """Guardian of a child, how it was verified, and the child's day of majority: all three or none."""
        if self.guardian_id is None or self.guardian_method is None or self.adult_on is None:
            return None
        return self.guardian_id, self.guardian_method, self.adult_on


COLUMNS = tuple(field.name for field in msgspec.structs.fields(ImportRow))
REQUIRED = ("subject_id", "purpose", "choice", "recorded_at")
_EXPECTED = {
    "subject_id": f"1 to 256 characters that name one person: {UNUSABLE.partition(': ')[2]}",
    "subject_type": "1 to 64 characters",
    "purpose": "the purpose's name in the API",
    "choice": "give, refuse, withdraw or object",
    "recorded_at": "a time by RFC 3339 with its offset, such as 2025-03-01T09:30:00Z, and not before 1990",
    "expires_at": "a time by RFC 3339 with its offset, after recorded_at",
    "region": "a code by ISO 3166, such as DE or US-CA",
    "age_band": "adult, minor, child or unknown",
    "explicit": "true or false",
    "gpc": "true or false",
    "notice_version": "a whole number of 1 or more",
    "locale": "a language tag such as en or pt-BR",
    "interface": "up to 64 small letters, digits and . _ @ -",
    "layout_sha256": "64 hexadecimal digits",
    "source": "up to 32 small letters and _",
    "guardian_id": "1 to 256 characters that name one person, together with guardian_method and adult_on",
    "guardian_method": "up to 32 small letters, digits and _, together with guardian_id and adult_on",
    "adult_on": "a day such as 2031-05-17, together with guardian_id and guardian_method",
}
# Free text and values that a library reads out of words: a word for a missing value is none of them, and an empty cell
# says the same. As a region, NA is Namibia; as a language, nan is Min Nan Chinese.
_WORDS = (
    "channel", "recipient", "data_category", "source", "interface", "guardian_method", "notice_version", "age_band",
)  # fmt: skip
_is_missing = re.compile(MISSING).fullmatch
_IDENTIFIERS = ("subject_id", "subject_type", "guardian_id")
# A number is never a time (RFC 3339, section 5.6): a library would read 20260105 as seconds since 1970.
_TIMES = ("recorded_at", "expires_at")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# A line of whole cells: a quote stands only at the ends of a quoted cell (RFC 4180, section 2, rules 5 to 7).
_WHOLE_CELLS = re.compile(r'(?:"(?:[^"]|"")*"|[^",]*)(?:,(?:"(?:[^"]|"")*"|[^",]*))*')
# How far the end of a quote is looked for; a quote that is open for longer is a fault of its one line.
_LOOKED_AHEAD = 1_000
_NAMES_A_FIELD = re.compile(r"`\$\.([a-z_0-9]+)`\Z|required field `([a-z_0-9]+)`")


class UnusableFile(Problem):
    code = "unusable_file"
    title = "This file cannot be imported"


class Refused(Exception):
    """Refusal of a line. ``detail`` is a sentence that says nothing about the person."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Line:
    """A line's number (the first is 1), the row in it or why there is none, and where the next line starts."""

    number: int
    row: ImportRow | Refused
    end: int


def format_of(path: Path, chosen: str | None) -> str:
    """Return ``csv`` or ``jsonl`` by ``chosen`` or the file's name. Raises UnusableFile."""
    name = path.name.removesuffix(".gz")
    found = chosen or {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl"}.get(name.rpartition(".")[2].lower())
    if found not in FORMATS:
        raise UnusableFile("The file's name ends neither in .csv nor in .jsonl; say which it is with --format.")
    return found


def unpacked(path: Path, file: IO[bytes]) -> IO[bytes]:
    return gzip.GzipFile(fileobj=file) if path.name.endswith(".gz") else file  # type: ignore[return-value]


def lines(stream: IO[bytes], kind: str, *, number: int = 0, offset: int = 0) -> Iterator[Line]:
    """Yield the lines after line ``number``, which ends at byte ``offset``. Raises UnusableFile for a wrong header."""
    header: list[str] = []
    first, end = _raw_line(stream)
    if first.startswith(_MARKS_OF_UTF16):
        raise UnusableFile("The file is UTF-16; save it as UTF-8 (in a spreadsheet: CSV UTF-8).")
    if kind == "csv":
        header = _header(first.removeprefix(_BOM))
        number, offset = (number, offset) if number else (1, end)
    stream.seek(offset)
    source = _Source(stream)
    while True:
        raw, size = source.next()
        if not size:
            return
        number, offset = number + 1, offset + size
        if number == 1:
            raw = raw.removeprefix(_BOM)
        if header and _opens_a_quote(raw) and (more := source.rest_of_quote()):
            # One record over several lines: none of its lines is a record, though one may look like it.
            started, number, offset = number, number + len(more), offset + sum(more)
            detail = f"Lines {started} to {number} are one record: a quoted cell goes over the end of its line."
            yield Line(number, Refused("not_csv", detail), offset)
        elif raw or size > _LONGEST:
            yield Line(number, _read(raw, size, header), offset)


class _Source:
    """Lines of a stream, some of which may have been read ahead."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._ahead: deque[tuple[bytes, int]] = deque()

    def next(self) -> tuple[bytes, int]:
        return self._ahead.popleft() if self._ahead else _raw_line(self._stream)

    def rest_of_quote(self) -> list[int]:
        """Take the lines up to the one that closes an open quote; return their sizes, none where it stays open."""
        for at in range(_LOOKED_AHEAD):
            if at == len(self._ahead):
                self._ahead.append(_raw_line(self._stream))
            raw, size = self._ahead[at]
            if not size:
                break
            if _opens_a_quote(raw):
                return [self._ahead.popleft()[1] for _ in range(at + 1)]
        return []


def _opens_a_quote(raw: bytes) -> bool:
    return raw.count(b'"') % 2 == 1


def _raw_line(stream: IO[bytes]) -> tuple[bytes, int]:
    """Read one line without its end, and how many bytes it took; of a line that is too long nothing is kept."""
    try:
        raw = piece = stream.readline(_LONGEST + 1)
        size = len(raw)
        while len(piece) > _LONGEST and not piece.endswith(b"\n"):
            piece = stream.readline(_LONGEST + 1)
            size += len(piece)
    except (EOFError, gzip.BadGzipFile, zlib.error) as exc:
        raise UnusableFile("The packed file is damaged or cut short.") from exc
    return (b"", size) if size > _LONGEST else (raw.strip(b" \t\r\n"), size)


def _header(first: bytes) -> list[str]:
    try:
        [names] = csv.reader([first.decode()], strict=True)
    except (UnicodeDecodeError, csv.Error, ValueError):
        raise UnusableFile("The first line must name the columns, separated by commas.") from None
    names = [name.strip() for name in names]
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        raise UnusableFile("The first line names one column: columns are separated by commas, not semicolons or tabs.")
    for place, name in enumerate(names, 1):
        if name not in COLUMNS:  # the name itself is not repeated: without a header, it is personal data
            raise UnusableFile(f"Column {place} has a name that is not known; known are: {', '.join(COLUMNS)}.")
    if len(set(names)) != len(names):
        raise UnusableFile("A column stands in the first line twice.")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise UnusableFile(f"The first line does not name: {', '.join(missing)}.")
    return names


def _read(raw: bytes, size: int, header: list[str]) -> ImportRow | Refused:
    if size > _LONGEST:
        return Refused("line_too_long", f"The line is longer than {_LONGEST // 1024} KiB.")
    try:
        row = _from_csv(raw, header) if header else _from_json(raw)
        row.recorded_at = _in_utc("recorded_at", row.recorded_at)
        if row.expires_at is not None:
            row.expires_at = _in_utc("expires_at", row.expires_at)
            if row.expires_at <= row.recorded_at:
                return _invalid("expires_at")
    except Refused as refused:
        return refused
    return _invalid(wrong) if (wrong := _wrong_identifier(row) or _missing_of_guardian(row)) else row


def _wrong_identifier(row: ImportRow) -> str | None:
    """Give each identifier its one spelling; return the first column that cannot name one person."""
    for name in _IDENTIFIERS:
        value = getattr(row, name)
        if value is None:
            continue
        try:
            setattr(row, name, checked(value))
        except ValueError:
            return name
    return None


def _missing_of_guardian(row: ImportRow) -> str | None:
    """Return the first column about the guardian that is empty while another is not."""
    found = {name: getattr(row, name) for name in ("guardian_id", "guardian_method", "adult_on")}
    empty = [name for name, value in found.items() if value is None]
    return empty[0] if 0 < len(empty) < len(found) else None


def _from_csv(raw: bytes, header: list[str]) -> ImportRow:
    try:
        text = raw.decode()
        [cells] = csv.reader([text], strict=True)
    except UnicodeDecodeError:
        raise Refused("not_utf8", "The line is not UTF-8.") from None
    except (csv.Error, ValueError):
        raise _not_csv() from None
    if '"' in text and not _WHOLE_CELLS.fullmatch(text):
        raise _not_csv()
    if len(cells) != len(header):
        raise Refused("not_csv", f"The line has {len(cells)} cells where the first line names {len(header)}.")
    found = {name: cell for name, text in zip(header, cells, strict=True) if (cell := text.strip())}
    for name in _TIMES:
        if name in found and not _TIME.match(found[name]):
            raise _invalid(name)
    if "adult_on" in found and not _DAY.fullmatch(found["adult_on"]):
        raise _invalid("adult_on")
    return _row(found, strict=False)


def _not_csv() -> Refused:
    return Refused("not_csv", "The line is not CSV: a quote is open or out of place.")


def _from_json(raw: bytes) -> ImportRow:
    try:
        value = strict_json.loads_object(raw)
    except strict_json.InvalidJson as exc:
        raise Refused("not_json", str(exc).replace("body", "line")) from None
    return _row({name: member for name, member in value.items() if member is not None}, strict=True)


def _row(values: Mapping[str, Any], *, strict: bool) -> ImportRow:
    for name in _WORDS:
        if isinstance(values.get(name), str) and _is_missing(values[name]):
            raise _invalid(name)
    try:
        return msgspec.convert(values, ImportRow, strict=strict)
    except msgspec.ValidationError as exc:
        raise _refusal(str(exc)) from None


def _refusal(message: str) -> Refused:
    """Say which member is wrong, by a known name only: the library's own words may quote the line."""
    found = _NAMES_A_FIELD.search(message)
    name = (found[1] or found[2]) if found else ""
    if name not in COLUMNS:
        return Refused("unknown_member", f"Something in the line is not known; known are: {', '.join(COLUMNS)}.")
    if found and found[2]:
        return Refused("missing_value", f"'{name}' is missing.")
    return _invalid(name)


def _invalid(name: str) -> Refused:
    return Refused("invalid_value", f"'{name}' must be {_EXPECTED.get(name, '1 to 64 letters, digits and . _ -')}.")


def _in_utc(name: str, moment: datetime) -> datetime:
    try:
        moment = moment.astimezone(UTC)
    except (OverflowError, ValueError):
        raise _invalid(name) from None
    if moment < _EARLIEST:
        raise _invalid(name)
    return moment
