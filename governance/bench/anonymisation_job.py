"""One measured anonymisation, in a process of its own: ``python anonymisation_job.py JOB`` prints its figures as JSON.

It is run with the packages of this checkout, of another one (``PYTHONPATH``), or of another library, so nothing here is
imported from elsewhere in the project but what is measured.
"""

import csv
import gzip
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

QUASI_IDENTIFIERS = [
    "age", "workclass", "education", "marital-status", "occupation", "race", "sex", "native-country",
]  # fmt: skip
SENSITIVE = "salary-class"
_MISSING = ("", "?")
Answer = tuple[float, int]  # information loss, classes


def main() -> None:
    """Carry out the job of the command line."""
    job = json.loads(sys.argv[1])
    ask = _ENGINES[job["engine"]](job)
    times = []
    for _ in range(job["repeats"]):
        began = time.process_time()
        ncp, classes = ask()
        times.append(time.process_time() - began)
    # The first is left out where there are others: it loads what the others find loaded.
    times = sorted(times[1:] or times)
    figures = {"cpu_s": times[len(times) // 2], "ncp": ncp, "classes": classes, "peak_memory_mb": _peak_mb()}
    sys.stdout.write(json.dumps(figures))


def _peak_mb() -> float | None:
    """Return the most memory this program had; the kernel's other figure begins with that of the parent process."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:")), None)


def columns_of(path: str) -> dict[str, list[str]]:
    """Read a CSV file, packed or not, into columns."""
    unpack = gzip.open if path.endswith(".gz") else open
    with unpack(path, "rt", newline="") as lines:
        header, *rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if row]
    return dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))


def _trees(job: dict[str, Any]) -> dict[str, Path]:
    """Return the hierarchies by column: a file may have a part of the column's name, such as country.csv."""
    if not job["hierarchies"]:
        return {}
    files = sorted(Path(job["hierarchies"]).glob("*.csv"))
    return {name: file for name in QUASI_IDENTIFIERS for file in files if file.stem in {name, *name.split("-")}}


def _ours(job: dict[str, Any]) -> Callable[[], Answer]:
    import numpy as np

    from privacy.anonymisation.columns import as_texts, typed
    from privacy.anonymisation.generalisation import Hierarchy
    from privacy.anonymisation.kanonymity import anonymise
    from privacy.anonymisation.wish import Wish

    texts = columns_of(job["table"])
    trees = {name: Hierarchy.read(path) for name, path in _trees(job).items()}
    names = [*QUASI_IDENTIFIERS, *([SENSITIVE] if "sensitive" in job["wish"] else [])]
    columns: dict[str, Any] = {
        name: as_texts(texts[name]) if name in trees or name == SENSITIVE else typed(name, texts[name])
        for name in names
    }
    # Every five rows are one person's, for the job that counts people.
    columns["person"] = np.arange(len(texts["age"])) // 5
    wish = Wish(**job["wish"])

    def ask() -> Answer:
        result = anonymise(columns, QUASI_IDENTIFIERS, wish, hierarchies=trees)
        _ = result.columns
        return result.report.ncp, result.report.classes

    return ask


def _former(job: dict[str, Any]) -> Callable[[], Answer]:
    """Ask the library of another checkout, by the names it had before classes were formed by clustering."""
    import numpy as np

    name = "privacy.kanonymity"
    if importlib.util.find_spec(name) is None:
        name = "privacy.anonymisation.kanonymity"
    anonymise = importlib.import_module(name).anonymise
    columns = {name: np.array(cells, dtype=object) for name, cells in columns_of(job["table"]).items()}
    columns["age"] = columns["age"].astype(int)

    def ask() -> Answer:
        report = anonymise(columns, QUASI_IDENTIFIERS, job["wish"]["k"]).report
        return report.ncp, report.classes

    return ask


def _file(job: dict[str, Any]) -> Callable[[], Answer]:
    from privacy.anonymisation.tables import anonymise_file
    from privacy.anonymisation.wish import Wish

    def ask() -> Answer:
        source = Path(job["table"])
        report = anonymise_file(source, source.with_name("copy.parquet"), QUASI_IDENTIFIERS, Wish(**job["wish"]))
        return report.result.ncp, report.result.classes

    return ask


def _self_test(job: dict[str, Any]) -> Callable[[], Answer]:
    """Count the classes of a written copy, as the job does before the copy gets its name."""
    from privacy.anonymisation.coding import Tally
    from privacy.anonymisation.files.opening import open_table

    def ask() -> Answer:
        table = open_table(Path(job["table"]))
        with Tally(QUASI_IDENTIFIERS) as tally:
            for columns in table.batches(QUASI_IDENTIFIERS):
                tally.add(columns)
            return 0.0, len(tally.combinations()[1])

    return ask


def _self_test_by_hashes(job: dict[str, Any]) -> Callable[[], Answer]:
    """Do the same by two hashes of a row, in DuckDB: quicker, and no proof."""
    duckdb = importlib.import_module("duckdb")
    names = ", ".join(f'"{name}"' for name in QUASI_IDENTIFIERS)

    def ask() -> Answer:
        query = f"SELECT count(*) FROM (SELECT count(*) FROM read_parquet(?) GROUP BY hash({names}), hash({names}, 1))"  # noqa: S608
        return 0.0, int(duckdb.connect().execute(query, [job["table"]]).fetchall()[0][0])

    return ask


def _anjana(job: dict[str, Any]) -> Callable[[], Answer]:
    pandas, anonymity = map(importlib.import_module, ("pandas", "anjana.anonymity"))
    texts = columns_of(job["table"])
    rows = pandas.DataFrame({name: texts[name] for name in QUASI_IDENTIFIERS})
    paths = {name: _paths(path, set(texts[name])) for name, path in _trees(job).items()}
    levels = {
        name: {level: [of[level] for of in found.values()] for level in range(len(next(iter(found.values()))))}
        for name, found in paths.items()
    }

    def ask() -> Answer:
        released = anonymity.k_anonymity(rows, [], list(paths), job["wish"]["k"], 5, levels)
        classes = len(released[list(paths)].drop_duplicates())
        lost = sum(_lost(released[name].tolist(), found) for name, found in paths.items())
        # A suppressed row loses everything.
        left_out = (len(rows) - len(released)) * len(paths)
        return (lost + left_out) / (len(rows) * len(paths)), classes

    return ask


def _paths(path: Path, values: set[str]) -> dict[str, list[str]]:
    """Return the path of each value of a column through its hierarchy."""
    with path.open(newline="") as lines:
        found = {row[0]: row for row in csv.reader(lines, skipinitialspace=True) if row}
    levels = len(next(iter(found.values())))
    missing = {value: [value] * (levels - 1) + ["*"] for value in values if value in _MISSING}
    return {**missing, **found}


def _lost(labels: list[str], paths: dict[str, list[str]]) -> float:
    """Return the certainty penalty of published labels, summed: leaves under each, less one, of all less one."""
    leaves: dict[str, set[str]] = {}
    for leaf, path in paths.items():
        for node in path:
            leaves.setdefault(node, set()).add(leaf)
    penalty = {node: (len(under) - 1) / (len(paths) - 1) for node, under in leaves.items()}
    return sum(penalty[label] for label in labels)


_ENGINES = {
    "ours": _ours, "former": _former, "file": _file, "anjana": _anjana, "self-test": _self_test,
    "self-test by hashes": _self_test_by_hashes,
}  # fmt: skip


if __name__ == "__main__":
    main()
