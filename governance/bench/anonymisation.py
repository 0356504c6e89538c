"""Speed, loss and memory of anonymisation, with what it is compared with measured in the same run."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from django.conf import settings
from pyarrow import parquet

from governance.bench.anonymisation_job import QUASI_IDENTIFIERS, SENSITIVE, columns_of
from governance.bench.report import Row

_JOB = Path(__file__).with_name("anonymisation_job.py")
ADULT = settings.BASE_DIR / "tests" / "data" / "adult.csv.gz"
_MILLION = 1_000_000
_REPEATS = 6
_K = 10
_REDRAWN = 0.057  # of the cells of a generated table


@dataclass(frozen=True)
class Asked:
    """What to measure: generated ``rows``, and what to compare with.

    ``adult`` is the UCI Adult table: conditions are measured where it has the salary class. ``hierarchies`` are those
    of its columns, ``against`` is a checkout of an earlier version, ``peer`` a Python with anjana.
    """

    rows: list[int]
    adult: Path = ADULT
    hierarchies: Path | None = None
    against: Path | None = None
    peer: Path | None = None


def run(asked: Asked, say: Callable[[str], Any]) -> list[Row]:
    """Measure everything; each row has a process of its own."""
    rows, adult = [], columns_of(str(asked.adult))
    for what, job, python, path in _jobs(asked, has_salary=SENSITIVE in adult):
        say(what)
        rows.append(Row(what, _measured(job, python, path)))
    for number in asked.rows:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "table.parquet")
            generate(source, number, adult)
            for what, more in (("", {}), (", fast", {"fast": True})):
                say(f"{number:,} rows{what}")
                job = {"engine": "file", "table": str(source), "repeats": 1, "wish": {"k": _K, **more}}
                figures = _measured(job, Path(sys.executable), settings.BASE_DIR)
                rows.append(Row(f"Parquet to Parquet, {number:,} rows{what}", figures))
            for what in ("self-test", "self-test by hashes"):
                job = {"engine": what, "table": str(source.with_name("copy.parquet")), "repeats": 1}
                figures = _measured(job, Path(sys.executable), settings.BASE_DIR)
                rows.append(Row(f"{what.capitalize()} of {number:,} rows", figures))
    return rows


def _jobs(asked: Asked, *, has_salary: bool) -> Iterator[tuple[str, Mapping[str, Any], Path, Path]]:
    own = Path(sys.executable)
    trees = None if asked.hierarchies is None else str(asked.hierarchies)
    base = {"table": str(asked.adult), "repeats": _REPEATS, "hierarchies": None}
    if asked.against is not None:
        yield (
            f"The version in {asked.against.name}",
            {**base, "engine": "former", "wish": {"k": _K}},
            own,
            asked.against,
        )
    for what, wish in (
        (f"k = {_K}", {}),
        (f"k = {_K}, fast", {"fast": True}),
        (f"k = {_K}, distinct l = 2", {"sensitive": SENSITIVE, "l": 2}),
        (f"k = {_K}, t = .2", {"sensitive": SENSITIVE, "t": 0.2}),
        (f"{_K} people", {"person": "person"}),
    ):
        if has_salary or SENSITIVE not in wish.values():
            job = {**base, "engine": "ours", "wish": {"k": _K, **wish}}
            yield f"Adult, {what}", job, own, settings.BASE_DIR
    if trees is not None:
        job = {**base, "engine": "ours", "wish": {"k": _K}, "hierarchies": trees}
        yield f"Adult, k = {_K}, hierarchies", job, own, settings.BASE_DIR
    if trees is not None and asked.peer is not None:
        job = {**base, "engine": "anjana", "wish": {"k": _K}, "hierarchies": trees, "repeats": 1}
        yield f"anjana, k = {_K}, hierarchies, 5 % suppressed", job, asked.peer, settings.BASE_DIR


def _measured(job: Mapping[str, Any], python: Path, path: Path) -> dict[str, float | None]:
    environment = {**os.environ, "PYTHONPATH": str(path)}
    command = [str(python), "-P", str(_JOB), json.dumps(job)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"The measurement failed: {done.stderr[-1000:]}")
    figures: dict[str, float | None] = json.loads(done.stdout)
    return figures


def generate(target: Path, rows: int, adult: Mapping[str, list[str]]) -> None:
    """Write a table of ``rows`` like Adult's, a million a row group: each part has a seed of its own.

    Rows are drawn at random, age moved by up to 2, and each other quasi-identifier drawn anew with p = .057.
    """
    columns = {name: np.array(cells) for name, cells in adult.items()}
    total, texts = len(columns["age"]), [name for name in (*QUASI_IDENTIFIERS[1:], SENSITIVE) if name in columns]
    coded = {name: np.unique(columns[name], return_inverse=True) for name in texts}
    writer = None
    for part, first in enumerate(range(0, rows, _MILLION)):
        drawn, number = np.random.default_rng(100 + part), min(_MILLION, rows - first)
        at = drawn.integers(0, total, number)
        made = {"age": pa.array(columns["age"].astype(np.int64)[at] + drawn.integers(-2, 3, number))}
        for name, (values, codes) in coded.items():
            redrawn = np.flatnonzero(drawn.random(number) < (_REDRAWN if name != SENSITIVE else 0))
            picked = codes[at].astype(np.int32)
            picked[redrawn] = codes[drawn.integers(0, total, len(redrawn))]
            made[name] = pa.DictionaryArray.from_arrays(picked, pa.array(values.tolist())).cast(pa.string())
        for name in sorted({"fnlwgt", "hours-per-week"} & set(columns)):
            made[name] = pa.array(columns[name].astype(np.int64)[at])
        batch = pa.RecordBatch.from_pydict(made)
        writer = writer or parquet.ParquetWriter(target, batch.schema)
        writer.write_batch(batch)
    if writer is not None:
        writer.close()
