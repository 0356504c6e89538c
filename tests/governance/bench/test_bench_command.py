"""``bench --json FILE``: one shape for every measurement, and a file that is whole or not there."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from common.postgres import advisory
from governance.bench import authzen, comparison, decisions, log, world
from governance.bench.report import Row, request_row
from governance.management.commands import bench

REQUESTS = ["what", "clients", "per_second", "cpu_us", "database_cpu_us", "p50_ms", "p99_ms", "refused"]
ROWS = [
    request_row("Asked", clients=8, per_second=1234.5678, cpu_us=(80.0, 20.5), p50_ms=1.5, p99_ms=12.3456, refused=2),
    Row("Counted", {"seconds": 3, "format": "csv"}),
]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Have ``bench drain`` return ``ROWS`` without measuring anything; return the settings of each run."""
    made: list[Any] = []

    def run(asked: Any, _say: Any) -> list[Row]:
        made.append(asked)
        return ROWS

    monkeypatch.setitem(bench._RUNS, "drain", run)
    return made


@pytest.mark.django_db
def test_the_file_holds_the_machine_and_every_row(runs: list[Any], tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    target.write_text("an earlier run")

    call_command("bench", "drain", json=target)

    written = json.loads(target.read_text())
    assert list(written) == ["machine", "rows"]
    assert written["rows"] == [
        {
            "what": "Asked", "clients": 8, "per_second": 1234.568, "cpu_us": 80.0, "database_cpu_us": 20.5,
            "p50_ms": 1.5, "p99_ms": 12.346, "refused": 2,
        },
        {"what": "Counted", "seconds": 3, "format": "csv"},
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["figures.json"]


@pytest.mark.django_db
def test_the_machine_is_named_with_its_programs(runs: list[Any], tmp_path: Path) -> None:
    opa = tmp_path / "opa"
    opa.write_text("#!/bin/sh\necho 'Version: 1.2.3'\necho 'Go Version: go9'\n")
    opa.chmod(0o755)

    call_command("bench", "drain", json=tmp_path / "figures.json", opa=str(opa))

    machine = json.loads((tmp_path / "figures.json").read_text())["machine"]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert (machine["commit"] or "").removesuffix("-dirty") == head.stdout.strip()
    assert machine["opa"] == "1.2.3"
    assert machine["postgresql"].partition(".")[0].isdecimal()
    assert machine["cores"] >= 1
    assert machine["memory_bytes"] > 2**28
    assert {name: len(loads) for name, loads in machine["load_average"].items()} == {"before": 3, "after": 3}
    assert machine.keys() >= {"date", "system", "processor", "python"}


@pytest.mark.django_db
def test_the_table_shows_the_cpu_of_postgresql_next_to_ours(runs: list[Any], capsys: Any) -> None:
    call_command("bench", "drain")

    lines = capsys.readouterr().out.splitlines()
    heading = (
        "| what | clients | per second | CPU us of the process | CPU us of PostgreSQL | p50 ms | p99 ms | refused "
    )
    assert heading + "| seconds | format |" in lines
    assert "| Asked | 8 | 1,235 | 80 | 20 | 1.50 | 12.35 | 2 |  |  |" in lines
    assert "| Counted |  |  |  |  |  |  |  | 3 | csv |" in lines
    assert not any("not measured" in line for line in lines)


@pytest.mark.django_db
def test_a_postgresql_elsewhere_is_said_to_be_unmeasured(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    row = request_row("Asked", clients=1, per_second=2.5, cpu_us=(80.0, None))
    monkeypatch.setitem(bench._RUNS, "drain", lambda *_: [row])

    call_command("bench", "drain")

    said = capsys.readouterr().out
    assert "| Asked | 1 | 2.5 | 80 |  |  |  | 0 |" in said
    assert "its processor time was not measured" in said


@pytest.mark.parametrize(
    ("target", "reason"),
    [("absent/f.json", "No such file or directory"), (".", "Is a directory"), ("/dev/null", "not a regular file")],
)
def test_an_unwritable_file_is_refused_before_measuring(
    runs: list[Any], tmp_path: Path, target: str, reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("bench", "drain", json=tmp_path / target)

    assert runs == []
    assert list(tmp_path.glob("*.json")) == []


@pytest.mark.django_db
def test_a_failed_measurement_leaves_the_former_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    target.write_text("an earlier run")

    def fail(*_: Any) -> list[Row]:
        raise ConnectionError("The server closed the connection.")

    monkeypatch.setitem(bench._RUNS, "drain", fail)

    with pytest.raises(ConnectionError):
        call_command("bench", "drain", json=target)

    assert target.read_text() == "an earlier run"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["figures.json"]


SMALL = {"decisions": (14, "Assent, 30 people, memo answers"), "consents": (4, "Save three choices, 30 people")}
SMALL |= {
    "drain": (4, "Drop it under a checkpoint, 300 decisions"),
    "simulate": (2, "Replay from PostgreSQL, 300 decisions"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", [pytest.param("decisions", marks=pytest.mark.long), "consents", "drain", "simulate"])
def test_each_measurement_fills_the_figures_of_its_rows(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, size in (
        (log, "_DECISIONS", 300), (log, "_SHEETS", 20), (log, "_PEOPLE", 30), (decisions, "_REQUESTS", 200),
        (decisions, "_WARM_UP_S", 0.05), (authzen, "CANDIDATES", 50),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, size)
    target = tmp_path / "figures.json"

    call_command("bench", what, json=target, subjects="30", seconds=0.1, clients=2)

    rows = json.loads(target.read_text())["rows"]
    number, name = SMALL[what]
    assert name in [row["what"] for row in rows]
    assert len(rows) == number
    assert all(list(row) == REQUESTS for row in rows)
    assert all(row["per_second"] > 0 and row["refused"] == 0 for row in rows)
    assert all(row["cpu_us"] is not None and row["database_cpu_us"] is not None for row in rows)
    assert all((row["p50_ms"] is None) == (what in {"drain", "simulate"}) for row in rows)


COMPARED = [
    f"{name}_{part}"
    for name in ("cpu_us", "per_second", "cpu_ratio", "throughput_ratio")
    for part in ("min", "median", "max")
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("against", ["granian", pytest.param(str(settings.BASE_DIR), marks=pytest.mark.long)])
def test_two_servers_are_measured_in_turn(against: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in (
        (comparison, "CLIENTS", (1, 2)), (comparison, "PROCESSES", (1,)), (comparison, "_WINDOWS", 2),
        (comparison, "_WARM_UP_S", 0.05), (decisions, "_REQUESTS", 200),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    target = tmp_path / "figures.json"

    call_command("bench", "decisions", json=target, subjects="30", seconds=0.4, against=against)

    rows = json.loads(target.read_text())["rows"]
    other = "granian" if against == "granian" else f"granian of {Path(against).name}"
    assert [(row["what"], row["processes"], row["clients"]) for row in rows] == [
        (f"Memo answers, {server}", 1, clients) for clients in (1, 2) for server in (other, "front")
    ]
    for row in rows:
        assert list(row) == ["what", "processes", "clients", *COMPARED]
        assert 0 < row["per_second_min"] <= row["per_second_median"] <= row["per_second_max"]
        assert (row["cpu_ratio_median"] is None) == (row["what"] != "Memo answers, front")


@pytest.mark.parametrize(
    ("what", "against", "reason"),
    [
        ("drain", "granian", "compares decisions"),
        ("decisions", "/nonexistent", "a folder with a release"),
        ("anonymise", "4e4dd1b", "a folder with a release"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_refused(what: str, against: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("bench", what, against=against)


@pytest.mark.django_db(transaction=True)
def test_a_measurement_leaves_the_database_of_another_alone() -> None:
    with (
        advisory.held(world._LOCK),
        pytest.raises(CommandError, match="Another measurement is running"),
        world.bench_database(1),
    ):
        pytest.fail("it began")
