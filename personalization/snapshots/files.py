"""Parquet of a version's data and of its evaluation: written, read, and written anew without some people."""

import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from common.levels import Level
from personalization.recommender.coded import Coded
from personalization.recommender.interactions import NO_INTERACTIONS, Interactions, Person
from personalization.recommender.validation import evaluation, metrics, split
from personalization.recommender.validation.evaluation import Asked, Protocol

FOLDER = "snapshots"
DATA, EVALUATION, FEATURES = "data.parquet", "evaluation.parquet", "features.parquet"
NOTE = ".left"  # behind the name of a file: the note about who left it
_PERSON, _RATING = "person", "rating"
_RULES = b"assent.evaluation"


class Unreadable(Exception):
    """A file that is no snapshot, or one of another release; the text says what is wrong with it."""


@dataclass(frozen=True, eq=False)
class Data:
    """Data of a snapshot: the interactions in their order, the segment of each person who has one, and their ratings.

    A rating's value is its weight: low ones too, which are no interactions.
    """

    interactions: Interactions
    segments: Mapping[Person, str]
    ratings: Interactions = NO_INTERACTIONS


@dataclass(frozen=True)
class Listed:
    """Evaluation as it was noted: by person, what was relevant and what each level listed; and its rules."""

    rules: Mapping[str, Any]
    relevant: Mapping[Person, frozenset[str]]
    lists: Mapping[Person, Mapping[str, Sequence[str]]]


def rules() -> dict[str, Any]:
    """Return what an evaluation is made by: its split, its ranks, and the draws and seed of its intervals."""
    return {
        "ranks": metrics.RANKS,
        "trained_on": str(split.TRAINED_ON),
        "session": evaluation.SESSION_LENGTH,
        "people_at_most": evaluation.PEOPLE,
        "draws": metrics.DRAWS,
        "seed": metrics.SEED,
    }


def data_bytes(data: Data) -> bytes:
    """Return the data as Parquet: a row an interaction, then a row a rating, which has no weight."""
    import pyarrow as pa

    touches = _rows(data.interactions, data.segments, "weight", _RATING)
    ratings = _rows(data.ratings, data.segments, _RATING, "weight")
    return table_bytes(pa.concat_tables([touches, ratings.select(touches.column_names)]))


def _rows(of: Interactions, segments: Mapping[Person, str], given: str, missing: str) -> Any:
    """Return interactions or ratings as a table: their weights in the column ``given``, nothing in ``missing``."""
    import pyarrow as pa

    return pa.table(
        {
            _PERSON: _texts(of.people.codes, of.people.values, pa.binary(16)),
            "item": _texts(of.items.codes, of.items.values, pa.string()),
            given: pa.array(of.weight, pa.float64()),
            missing: pa.nulls(len(of), pa.float64()),
            "time": pa.array(of.time, pa.float64()),
            "segment": _texts(of.people.codes, [segments.get(who) for who in of.people.values], pa.string()),
        }
    )


def _texts(codes: NDArray[np.int32], values: Sequence[Any], kind: Any) -> Any:
    """Return the column of which row i is ``values[codes[i]]``."""
    import pyarrow as pa

    return pa.array(values, kind).take(pa.array(codes))


def evaluation_bytes(asked: Asked) -> bytes:
    """Return the evaluation as Parquet, a row a person asked about."""
    import pyarrow as pa

    texts = pa.list_(pa.string())
    columns = {
        _PERSON: pa.array([case.person for case in asked.cases], pa.binary(16)),
        "relevant": pa.array([sorted(case.relevant) for case in asked.cases], texts),
    }
    for protocol, levels in asked.lists.items():
        for level, lists in levels.items():
            columns[column(protocol, level)] = pa.array([list(some) for some in lists], texts)
    return table_bytes(
        pa.table(columns).replace_schema_metadata({_RULES: json.dumps(rules(), sort_keys=True).encode()})
    )


def column(protocol: Protocol, level: Level) -> str:
    return f"{protocol} {level}"


def read_data(content: bytes) -> Data:
    """Read data. Raises Unreadable."""
    table = table_of(content)
    try:
        touches, ratings = table, table.slice(0, 0)
        if _RATING in table.column_names:  # files of earlier releases hold no ratings
            touches, ratings = table.filter(table[_RATING].is_null()), table.filter(table[_RATING].is_valid())
        interactions = _interactions(touches, "weight")
        groups = table.group_by([_PERSON, "segment"]).aggregate([])
        pairs = zip(groups[_PERSON].to_pylist(), groups["segment"].to_pylist(), strict=True)
        segments = {person: group for person, group in pairs if group is not None}
        return Data(interactions, segments, _interactions(ratings, _RATING) if len(ratings) else NO_INTERACTIONS)
    except (KeyError, ValueError, TypeError) as exc:
        raise Unreadable("has not the columns of a data snapshot") from exc


def _interactions(table: Any, weight: str) -> Interactions:
    return Interactions(
        person=_coded(table[_PERSON]),
        item=_coded(table["item"]),
        weight=np.asarray(table[weight], dtype=np.float64),
        time=np.asarray(table["time"], dtype=np.float64),
    )


def _coded(column: Any) -> Coded[Any]:
    """Return a column as numbers. Raises ValueError where a value is missing."""
    if column.null_count:
        raise ValueError("A value is missing.")
    coded = column.combine_chunks().dictionary_encode()
    return Coded(np.asarray(coded.indices, dtype=np.int32), coded.dictionary.to_pylist())


def read_evaluation(content: bytes) -> Listed:
    """Read an evaluation. Raises Unreadable."""
    table = table_of(content)
    try:
        said = json.loads(table.schema.metadata[_RULES])
        rows = table.to_pylist()
        relevant = {row[_PERSON]: frozenset(row["relevant"]) for row in rows}
        lists = {row[_PERSON]: {name: row[name] for name in row if name not in (_PERSON, "relevant")} for row in rows}
        return Listed(said, relevant, lists)
    except (KeyError, ValueError, TypeError) as exc:
        raise Unreadable("has not the columns of an evaluation") from exc


def without(content: bytes, people: Collection[bytes]) -> tuple[bytes, int]:
    """Return a file without some people, and how many of them were in it. Raises Unreadable."""
    import pyarrow as pa
    from pyarrow import compute

    table = table_of(content)
    leaving = compute.is_in(table[_PERSON], value_set=pa.array(people, pa.binary(16)))
    left = len(compute.unique(table[_PERSON].filter(leaving)))
    return (table_bytes(table.filter(compute.invert(leaving))) if left else content), left


def count_of(content: bytes, person: bytes) -> int:
    """Return how many rows of a file are about a person, by its own column. Raises Unreadable."""
    import pyarrow as pa
    from pyarrow import compute

    found = compute.equal(table_of(content, [_PERSON])[_PERSON], pa.scalar(person, pa.binary(16)))
    return int(compute.sum(found).as_py() or 0)


def place(path: str) -> Path:
    """Return where a file lies. Raises Unreadable for a path out of the folder of snapshots."""
    root = (Path(settings.MODEL_DIR) / FOLDER).resolve()
    found = (Path(settings.MODEL_DIR) / path).resolve()
    if root not in found.parents:
        raise Unreadable("is outside the folder of snapshots")
    return found


def write(path: str, content: bytes) -> None:
    """Write a file on disk in one step: a reader sees the old one or the new one."""
    target = place(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
    _sync(target.parent)


def remove(path: str) -> None:
    """Remove a file with the note about it, and its folder where nothing is left in it."""
    target = place(path)
    for each in (target, target.with_name(f"{target.name}{NOTE}")):
        each.unlink(missing_ok=True)
    if target.parent.is_dir():
        _sync(target.parent)
        if not any(target.parent.iterdir()):
            target.parent.rmdir()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def table_bytes(table: Any) -> bytes:
    """Return an Arrow table as Parquet."""
    from pyarrow import parquet

    buffer = BytesIO()
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def table_of(content: bytes, columns: list[str] | None = None) -> Any:
    """Return Parquet as an Arrow table. Raises Unreadable."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.read_table(BytesIO(content), columns=columns)
    except (pa.ArrowException, OSError) as exc:
        raise Unreadable("is no Parquet file") from exc
