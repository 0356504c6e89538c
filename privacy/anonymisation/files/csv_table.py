"""CSV files as they come: encodings, separators, headers and rows.

Most files are read by Arrow, column by column. Arrow is more lenient than the rules here, so a file goes that way only
where both read the same (``Inspection.is_plain``); every other file, and every file with a torn line, is read row by
row, which names the line.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from privacy.anonymisation.errors import UnknownColumn, UnusableTable, quoted
from privacy.anonymisation.files.inspection import Inspection, inspect, sha256_of

if TYPE_CHECKING:
    import pyarrow as pa

_SEPARATORS = ",;\t"
_HEADER = 1 << 16  # characters in which the separator is looked for
_QUOTED = re.compile(r'(?<![^,;\t ])"(?:[^"]|"")*"')
_FIRST_LINE = re.compile(rf"(?:{_QUOTED.pattern}|[^\r\n])*")  # a quoted name may hold line ends
_BLOCK = 1 << 24
_ROWS = 1 << 16  # of a batch read row by row


@dataclass(frozen=True)
class CsvTable:
    """A CSV file with a header: its digest, encoding and dialect, determined once.

    The separator is the one of comma, semicolon and tab that the header holds most of, outside of quoted names. If each
    is followed by a space there, spaces after separators belong to them.
    """

    path: Path
    sha256: str
    encoding: str
    header: tuple[str, ...]
    separator: str
    spaced: bool
    inspection: Inspection

    @classmethod
    def open(cls, path: Path) -> "CsvTable":
        """Inspect the file. Raises UnusableTable for an empty file or a column name used twice."""
        found = inspect(path)
        with path.open(encoding=found.encoding, newline="") as lines:
            line = _QUOTED.sub("", _FIRST_LINE.match(lines.read(_HEADER))[0])  # type: ignore[index]  # matches always
        separator = max(_SEPARATORS, key=line.count)
        spaced = f"{separator} " in line and not re.search(f"{separator}(?! )", line)
        with path.open(encoding=found.encoding, newline="") as lines:
            header = _header(csv.reader(lines, delimiter=separator, skipinitialspace=spaced))
        check_header(path, header)
        return cls(path, found.sha256, found.encoding, header, separator, spaced, found)

    @property
    def nested(self) -> tuple[str, ...]:
        """Return the columns of which a cell is no single value: none in a CSV file."""
        return ()

    def require(self, names: Iterable[str]) -> None:
        """Raise UnknownColumn, listing the columns that exist, unless all ``names`` do."""
        require(self.path, self.header, names)

    def has_changed(self) -> bool:
        """Return whether the file is no longer what was opened."""
        return sha256_of(self.path) != self.sha256

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, "pa.Array"]]:
        """Yield the named columns part by part, as texts in Arrow's dictionaries, always in the same parts.

        Raises UnusableTable, with the line number only, for a row of another length or a broken cell.
        """
        if (self.spaced and self.inspection.has_quotes) or not self.inspection.is_plain(self.separator):
            yield from self._by_rows(names)
            return
        import pyarrow as pa

        try:
            yield from self._by_arrow(names)
        except pa.ArrowInvalid:
            for _ in self.rows():
                pass
            raise UnusableTable(f"'{self.path.name}' cannot be read as CSV.") from None

    def _by_arrow(self, names: Sequence[str]) -> Iterator[dict[str, "pa.Array"]]:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        places = {name: f"f{self.header.index(name)}" for name in names}
        text = pa.dictionary(pa.int32(), pa.string())
        encoding = "utf8" if self.encoding == "utf-8-sig" else self.encoding
        with arrow_csv.open_csv(
            self.path,
            read_options=arrow_csv.ReadOptions(
                autogenerate_column_names=True, skip_rows_after_names=1, block_size=_BLOCK, encoding=encoding
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=self.separator, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(places.values(), text),
                include_columns=list(places.values()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        ) as reader:
            for batch in reader:
                if len(batch):
                    yield dict(zip(places, map(self._trimmed, batch.columns), strict=True))

    def _trimmed(self, column: "pa.DictionaryArray") -> "pa.DictionaryArray":
        """Return the column without the spaces that belong to the separators."""
        if not self.spaced:
            return column
        import pyarrow as pa
        import pyarrow.compute as pc

        return pa.DictionaryArray.from_arrays(column.indices, pc.utf8_ltrim(column.dictionary, " "))

    def _by_rows(self, names: Sequence[str]) -> Iterator[dict[str, "pa.Array"]]:
        import pyarrow as pa

        places = [self.header.index(name) for name in names]
        rows = self.rows()
        while part := list(islice(rows, _ROWS)):
            yield {
                name: pa.array([row[place] for row in part], pa.string()).dictionary_encode()
                for name, place in zip(names, places, strict=True)
            }

    def rows(self) -> Iterator[list[str]]:
        """Yield the cells of each row after the header; blank lines are skipped.

        Raises UnusableTable, with the line number only, for a row of another length or a broken cell.
        """
        with self.path.open(encoding=self.encoding, newline="") as lines:
            reader = csv.reader(lines, delimiter=self.separator, skipinitialspace=self.spaced, strict=True)
            try:
                next(reader)
                for row in filter(None, reader):
                    if len(row) != len(self.header):
                        raise UnusableTable(
                            f"Line {reader.line_num} has {len(row)} cells instead of {len(self.header)}."
                        )
                    yield row
            except csv.Error as exc:
                raise UnusableTable(f"Line {reader.line_num} is not CSV: {exc}.") from exc


def require(path: Path, header: Sequence[str], names: Iterable[str]) -> None:
    """Raise UnknownColumn, listing the columns that exist, unless all ``names`` do."""
    absent = [name for name in names if name not in header]
    if absent:
        raise UnknownColumn(f"No column {quoted(absent)}; '{path.name}' has {quoted(header)}.")


def check_header(path: Path, header: Sequence[str]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if not header or twice:
        found = f": {quoted(twice)} is there twice" if twice else ""
        raise UnusableTable(f"'{path.name}' needs a header line in which every column has its own name{found}.")


def _header(rows: Iterator[list[str]]) -> tuple[str, ...]:
    try:
        return tuple(cell.strip() for cell in next(rows, []))
    except csv.Error as exc:
        raise UnusableTable(f"The header is not CSV: {exc}.") from exc
