"""One shape for all measurements: rows, printed as a Markdown table and written as JSON.

The file is ``{"machine": {...}, "rows": [{"what": ..., FIGURE: ...}, ...]}``. A row that measures requests has the
figures of ``request_row``; null stands for what was not measured.
"""

import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from consent.exporting import opened_whole
from governance.bench.machine import Machine

Figure = int | float | str | None


class UnwritableReport(Exception):
    """The file for the report cannot be written; the text says why."""


@dataclass(frozen=True)
class Row:
    """What was measured, and its figures by name."""

    what: str
    figures: Mapping[str, Figure]


def request_row(
    what: str,
    *,
    clients: int,
    per_second: float,
    cpu_us: tuple[float, float | None],
    p50_ms: float | None = None,
    p99_ms: float | None = None,
    refused: int = 0,
) -> Row:
    """Return a row about requests. ``cpu_us`` is what one of them costs our processes and PostgreSQL."""
    figures: dict[str, Figure] = {
        "clients": clients,
        "per_second": per_second,
        "cpu_us": cpu_us[0],
        "database_cpu_us": cpu_us[1],
        "p50_ms": p50_ms,
        "p99_ms": p99_ms,
        "refused": refused,
    }
    return Row(what, figures)


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


# Heading and format of the figures that have some of their own; others are shown by their name.
_SPREAD = ("min", "median", "max")
_COLUMNS: Mapping[str, tuple[str, Callable[[float], str]]] = {
    **{f"cpu_us_{part}": (f"CPU us, {part}", "{:,.0f}".format) for part in _SPREAD},
    **{f"per_second_{part}": (f"per second, {part}", _rate) for part in _SPREAD},
    **{f"cpu_ratio_{part}": (f"CPU ratio, {part}", "{:.2f}".format) for part in _SPREAD},
    **{f"throughput_ratio_{part}": (f"throughput ratio, {part}", "{:.2f}".format) for part in _SPREAD},
    "per_second": ("per second", _rate),
    "cpu_us": ("CPU us of the process", "{:,.0f}".format),
    "database_cpu_us": ("CPU us of PostgreSQL", "{:,.0f}".format),
    "cpu_s": ("CPU s", "{:,.3f}".format),
    "database_cpu_s": ("CPU s of PostgreSQL", "{:,.3f}".format),
    "ncp": ("information lost (NCP)", "{:.4f}".format),
    "peak_memory_mb": ("peak memory MB", "{:,.0f}".format),
    "p50_ms": ("p50 ms", "{:,.2f}".format),
    "p95_ms": ("p95 ms", "{:,.2f}".format),
    "p99_ms": ("p99 ms", "{:,.2f}".format),
}


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a Markdown table with a column for every figure that a row has."""
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    headings = [_COLUMNS[name][0] if name in _COLUMNS else name.replace("_", " ") for name in names]
    lines = [("what", *headings), ("---",) * (len(names) + 1)]
    lines += [(row.what, *(_cell(name, row.figures.get(name)) for name in names)) for row in rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _cell(name: str, value: Figure) -> str:
    if value is None:
        return ""
    return _COLUMNS[name][1](value) if name in _COLUMNS and not isinstance(value, str) else str(value)


def text(machine: Machine, rows: Sequence[Row]) -> list[str]:
    """Return the lines of the printed report: the machine, the table, and what to know when reading it."""
    before, after = machine["load_average"]["before"][0], machine["load_average"]["after"][0]
    lines = [_sentence(machine), "", *table(rows), "", f"Load of the machine: {before:.1f} before, {after:.1f} after."]
    if any(row.figures.get(name, "") is None for row in rows for name in ("database_cpu_us", "database_cpu_s")):
        lines.append("PostgreSQL does not run on this machine: its processor time was not measured.")
    return lines


def _sentence(machine: Machine) -> str:
    parts = [
        machine["system"],
        f"{machine['cores']} cores",
        machine["processor"],
        f"{machine['memory_bytes'] / 2**30:.0f} GiB",
        f"Python {machine['python']}",
        f"PostgreSQL {machine['postgresql']}",
        machine["opa"] and f"OPA {machine['opa']}",
        machine["commit"] and f"commit {machine['commit'][:12]}",
        machine["date"],
    ]
    return ", ".join(part for part in parts if part)


def require_writable(path: Path) -> None:
    """Raise UnwritableReport where ``path`` cannot be written, so that no measurement is made in vain."""
    with _explained(path):
        target = path.resolve()
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not target.is_file():
            raise OSError(errno.EINVAL, "it is not a regular file")
        tempfile.TemporaryFile(dir=target.parent).close()


def write_json(path: Path, machine: Machine, rows: Sequence[Row]) -> None:
    """Write the report to ``path``, which holds all of it or stays as it was. Raises UnwritableReport."""
    document = {"machine": machine, "rows": [{"what": row.what, **_rounded(row.figures)} for row in rows]}
    with _explained(path), opened_whole(path.resolve()) as file:
        file.write(json.dumps(document, indent=2).encode() + b"\n")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise UnwritableReport(f"{path} cannot be written: {exc.strerror}.") from exc


def _rounded(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    return {
        name: round(value, _digits(value)) if isinstance(value, float) else value for name, value in figures.items()
    }


def _digits(value: float) -> int:
    """Return how many digits after the point say something."""
    return 3 if abs(value) >= 1 else 4
