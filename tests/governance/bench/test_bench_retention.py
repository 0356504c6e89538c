"""``bench retention``: three variants in turns over one table, each with its figures."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

FIGURES = [
    "what", "rows", "rows_per_second", "cpu_us_per_row", "worker_us_per_row", "share_of_hand_written",
    "share_by_totals", "peak_memory_mb", "undo_bytes_per_row",
]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_deletion_is_measured_against_one_by_hand(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"

    call_command("bench", "retention", rows="60000", json=target)

    rows = {row["what"]: row for row in json.loads(target.read_text())["rows"]}
    assert list(rows) == ["Assent", "Assent with undo", "hand-written"]
    assert all(list(row) == FIGURES for row in rows.values())
    assert rows["Assent"]["rows"] == rows["Assent with undo"]["rows"] <= rows["hand-written"]["rows"] == 5_000
    assert rows["Assent"]["rows"] >= 4_950  # people under a hold keep theirs
    assert 0 < rows["Assent with undo"]["undo_bytes_per_row"] <= 60
    assert all(row["cpu_us_per_row"] > 0 for row in rows.values())
