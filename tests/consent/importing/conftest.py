"""Files of another system, and an import of them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consent.importing import service


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write rows as JSON lines, or as CSV if the name says so; text stands as it is."""

    def written(*rows: dict[str, Any] | str, name: str = "old.jsonl") -> Path:
        path = tmp_path / name
        if name.endswith(".csv"):
            columns = list(dict.fromkeys(column for entry in rows for column in entry))
            with path.open("w", newline="") as file:
                table = csv.DictWriter(file, columns, restval="")
                table.writeheader()
                table.writerows(rows)
        else:
            lines = (entry if isinstance(entry, str) else json.dumps(entry) for entry in rows)
            path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return written


@pytest.fixture
def take(register_in_force: None, write: Callable[..., Path], tmp_path: Path) -> Callable[..., service.Outcome]:
    """Import rows, or the file at a path."""

    def taken(*rows: Any, name: str = "old.jsonl", **order: Any) -> service.Outcome:
        path = rows[0] if isinstance(rows[0], Path) else write(*rows, name=name)
        order = {"system": "legacy", "actor": "operator", "report": tmp_path / "report.jsonl", **order}
        return service.import_file(service.Order(path=path, **order))

    return taken


@pytest.fixture
def report(tmp_path: Path) -> Callable[[], list[tuple[int, str]]]:
    """Return the refused lines of the last import with their codes."""

    def read() -> list[tuple[int, str]]:
        entries = map(json.loads, (tmp_path / "report.jsonl").read_text().splitlines())
        return [(entry["line"], entry["code"]) for entry in entries]

    return read
