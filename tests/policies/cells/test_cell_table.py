"""The table of cells: what makes no sense is refused at start, in words that hold no secret."""

import json
from pathlib import Path
from typing import Any

import pytest

from policies.cells.table import read_table, read_token
from tests.helpers.cell_tables import TOKEN, write_table


def _changed(path: Path, change: Any) -> Path:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


def test_a_table_says_which_cell_this_is(tmp_path: Path) -> None:
    table = read_table(write_table(tmp_path), "us")

    assert (table.own.name, table.primary.name, table.is_primary) == ("us", "eu", False)
    assert [cell.name for cell in table.cells] == ["eu", "us"]
    assert read_token(table.primary) == TOKEN
    assert list(table.keys) == ["k"]


def test_the_primary_needs_no_keys_of_its_own(tmp_path: Path) -> None:
    table = read_table(_changed(write_table(tmp_path), lambda d: d.pop("keys_file")), "eu")

    assert (table.is_primary, table.keys) == (True, {})


def test_one_machine_is_called_without_tls(tmp_path: Path) -> None:
    path = write_table(tmp_path, urls={"eu": "http://127.0.0.1:8001", "us": "http://localhost:8002"})

    assert read_table(path, "us").primary.url == "http://127.0.0.1:8001"


NONSENSE = [
    (lambda d: d["cells"].pop(), "is not as it should be"),
    (lambda d: d["cells"].append(d["cells"][0]), "names a cell twice"),
    (lambda d: d["cells"][0].update(processing_region="us-east"), "two cells in one processing region"),
    (lambda d: d["cells"][1].update(name="usa"), "CELL is not among the cells"),
    (lambda d: d.update(primary="asia"), "primary that is none of its cells"),
    (lambda d: d["cells"][0].update(url="http://eu.example.org"), "has to be called by https"),
    (lambda d: d["cells"][0].update(url="https://eu.example.org/path"), "is not an origin"),
    (lambda d: d["cells"][0].update(url="https://user:secret@eu.example.org"), "is not an origin"),
    (lambda d: d["cells"][0].update(url="file:///etc/passwd"), "is not an origin"),
    (lambda d: d["cells"][0].update(url="https://eu.example.org:99999"), "is not an origin"),
    (lambda d: d["cells"][0].pop("token_file"), "has no token_file"),
    (lambda d: d["cells"][0].update(token_file="absent"), "cannot be read"),
    (lambda d: d["cells"][0].update(token_file="short"), "holds no token"),
    (lambda d: d["cells"][0].update(tokn_file="x"), "is not as it should be"),
    (lambda d: d.pop("keys_file"), "needs keys_file"),
    (lambda d: d.update(keys_file="token"), "no readable set of keys"),
]


@pytest.mark.parametrize(("change", "sentence"), NONSENSE, ids=[f"{n}-{s}" for n, (_, s) in enumerate(NONSENSE)])
def test_nonsense_is_refused(tmp_path: Path, change: Any, sentence: str) -> None:
    (tmp_path / "short").write_text("short")
    path = _changed(write_table(tmp_path), change)

    with pytest.raises(ValueError, match=sentence) as refused:
        read_table(path, "us")

    assert "secret" not in str(refused.value)
    assert TOKEN not in str(refused.value)
