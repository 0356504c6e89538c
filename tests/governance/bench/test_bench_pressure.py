"""``bench pressure``: decisions while nothing is deleted, and beside runs of both paces."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command


@pytest.mark.django_db(transaction=True)
def test_decisions_are_measured_beside_deletions(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"

    call_command("bench", "pressure", rows="400000", subjects="200", seconds=1, clients=1, json=target)

    idle, gentle, unpaced = json.loads(target.read_text())["rows"]
    assert idle["rows_deleted_per_second"] == 0
    assert gentle["rows_deleted_per_second"] > 0
    assert unpaced["rows_deleted_per_second"] > 0
    assert idle["p99_to_idle"] == 1
    assert all(row["p50_ms"] <= row["p99_ms"] for row in (idle, gentle, unpaced))
