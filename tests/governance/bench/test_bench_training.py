"""The training job at size: figures of every step, and in the large form the limits that it has to keep."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from personalization.training import STEPS
from tests.helpers.scale import scale

LARGE = {"subjects": "100000", "items": 10_000, "events": 5_000_000}


@pytest.mark.django_db(transaction=True)
@scale("size", small={"subjects": "60", "items": 40, "events": 1_800}, long=LARGE)
def test_a_training_is_measured_step_by_step(size: dict[str, object], tmp_path: Path) -> None:
    target = tmp_path / "figures.json"

    call_command("bench", "training", json=target, **size)

    *steps, whole = json.loads(target.read_text())["rows"]
    assert [row["what"].rpartition(": ")[2] for row in steps] == list(STEPS)
    assert whole["cpu_s"] == pytest.approx(sum(row["cpu_s"] for row in steps), abs=0.05)
    assert whole["peak_memory_mb"] == max(row["peak_memory_mb"] for row in steps)
    if size is LARGE:
        assert whole["cpu_s"] + whole["database_cpu_s"] < 120
        assert whole["peak_memory_mb"] < 2_048
