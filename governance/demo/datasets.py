"""Two data sets: an invented shop for demonstrations, and the UCI "Restaurant & consumer" folder."""

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import numpy as np

from common.http.problems import Problem
from governance.demo.catalogue import INTERESTS
from personalization.recommender.interactions import Interactions, Item, Person

DAY_S = 86_400.0

_VIEWED, _KEPT, _BOUGHT = 1.0, 2.0, 4.0
_REGIONS = {"DE": 0.3, "FR": 0.25, "US": 0.25, "BR": 0.17, "IS": 0.03}
_ADULT, _MINOR = "adult", "minor"
_PROFILE_ATTRIBUTES = ("ambience", "budget", "dress_preference", "transport")
_PROFILE_YEAR = 2012


class DatasetUnreadable(Problem):
    """Refusal of a data set: a file or column is missing, or a value in it cannot be read."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "dataset_unreadable"
    title = "The data set cannot be read"

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path.name} {what}.", file=path.name)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Data set: items, interactions and the people behind them.

    ``attributes`` may form segments. ``sensitive`` is kept apart: nothing in this package reads it, and a
    platform has to show that it stays away from models without consent for it.
    """

    items: tuple[Item, ...]
    interactions: Interactions
    people: tuple[int, ...]
    attributes: Mapping[int, Mapping[str, str]]
    sensitive: Mapping[int, Mapping[str, str]]

    def segments(self, *names: str) -> dict[Person, str]:
        """Return person -> key such as ``region=DE|age=adult``; people lacking an attribute are left out.

        Raises ValueError for a name that is no attribute, a sensitive one included.
        """
        known = {name for attributes in self.attributes.values() for name in attributes}
        if not names or not known.issuperset(names):
            raise ValueError("Segments are formed from these attributes: " + ", ".join(sorted(known)))
        return {
            person: "|".join(f"{name}={attributes[name]}" for name in names)
            for person, attributes in self.attributes.items()
            if all(name in attributes for name in names)
        }


def demo_shop(*, seed: int = 7, people: int = 400, until: float = 1_767_225_600.0) -> Dataset:
    """Invent a shop of 120 items and ``people`` customers who visited it in the 180 days before ``until``.

    ``until`` is in seconds since 1970 (by default the start of 2026, UTC). The same arguments give the same
    shop. One region is too small for a segment, and some customers have too little history, on purpose.
    """
    items = tuple(_demo_items())
    random = np.random.default_rng(seed)
    regions = random.choice(list(_REGIONS), size=people, p=list(_REGIONS.values()))
    ages = np.where(random.random(people) < 0.12, _MINOR, _ADULT)
    attributes = {person: {"region": str(regions[person]), "age": str(ages[person])} for person in range(people)}
    rows = [(person, *touch) for person in range(people) for touch in _visits(random, items, attributes[person], until)]
    rows.sort(key=lambda row: (row[3], row[0]))
    return Dataset(
        items=items,
        interactions=_interactions(rows),
        people=tuple(range(people)),
        attributes=attributes,
        sensitive={},
    )


def restaurants(folder: Path) -> Dataset:
    """Read the "Restaurant & consumer data" of the UCI repository (DOI 10.24432/C5DP41) from ``folder``.

    Overall ratings of 1 and 2 are likes with that weight, 0 is none. The files carry no times: an
    interaction's time is its line number. Of a person's profile only a named few attributes and an age band
    may form segments; every other column, a new one included, is sensitive. ``?`` means missing.

    Raises DatasetUnreadable naming the file, and the column or line, that is missing or wrong.
    """
    profiles = _table(folder / "userprofile.csv", {"userID", "birth_year", *_PROFILE_ATTRIBUTES})
    numbers = {user: number for number, user in enumerate(sorted(row["userID"] for row in profiles))}
    return Dataset(
        items=tuple(_restaurant_items(folder)),
        interactions=_interactions(list(_ratings(folder / "rating_final.csv", numbers))),
        people=tuple(numbers.values()),
        attributes={numbers[row["userID"]]: _attributes(row) for row in profiles},
        sensitive={numbers[row["userID"]]: _sensitive(row) for row in profiles},
    )


def _interactions(rows: Sequence[tuple[int, str, float, float]]) -> Interactions:
    return Interactions(
        person=[row[0] for row in rows],
        item=[row[1] for row in rows],
        weight=np.array([row[2] for row in rows], dtype=np.float64),
        time=np.array([row[3] for row in rows], dtype=np.float64),
    )


def _demo_items() -> Iterator[Item]:
    for things in INTERESTS.values():
        for title, categories in things:
            yield Item(id=re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-"), title=title, categories=categories)


def _visits(
    random: np.random.Generator, items: Sequence[Item], attributes: Mapping[str, str], until: float
) -> Iterator[tuple[str, float, float]]:
    """Yield (item id, weight, time) of one customer: visits of a few minutes, each about one interest."""
    interests = _interests_of(random, attributes)
    for _ in range(int(np.clip(random.lognormal(1.5, 0.9), 1, 60))):
        time = until - float(random.uniform(0, 180 * DAY_S))
        interest = int(random.choice(interests))
        for _ in range(int(random.integers(1, 5))):
            item = items[_item_of_visit(random, interest, len(items))]
            weight = float(random.choice([_VIEWED, _KEPT, _BOUGHT], p=[0.6, 0.25, 0.15]))
            yield item.id, weight, time
            time = min(time + float(random.uniform(20, 240)), until)


def _interests_of(random: np.random.Generator, attributes: Mapping[str, str]) -> list[int]:
    """Draw two to four interests; a region and an age make some of them likelier."""
    liking = 1.0 / (1.0 + 0.15 * np.arange(len(INTERESTS)))
    liking = np.roll(liking, 5 * list(_REGIONS).index(attributes["region"]))
    if attributes["age"] == _MINOR:
        names = list(INTERESTS)
        liking[[names.index("board games"), names.index("strings"), names.index("night sky")]] *= 6
        liking[names.index("cheese and wine")] = 0.0
    wanted = int(random.integers(2, 5))
    drawn = random.choice(len(INTERESTS), size=wanted, replace=False, p=liking / liking.sum())
    return [int(interest) for interest in drawn]


def _item_of_visit(random: np.random.Generator, interest: int, catalogue_size: int) -> int:
    """Draw a position in the catalogue: mostly within the interest, sometimes anything on the shelves."""
    per_interest = catalogue_size // len(INTERESTS)
    if random.random() < 0.2:
        return int(catalogue_size * random.random() ** 1.5)
    preference = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    return interest * per_interest + int(random.choice(per_interest, p=preference))


def _table(path: Path, columns: Collection[str]) -> list[dict[str, str]]:
    try:
        lines = [_decoded(line) for line in path.read_bytes().splitlines()]
    except OSError as exc:
        raise DatasetUnreadable(path, "cannot be read") from exc
    reader = csv.DictReader(lines, strict=True)
    missing = set(columns).difference(reader.fieldnames or ())
    if missing:
        raise DatasetUnreadable(path, "lacks the column " + ", ".join(sorted(missing)))
    try:
        rows = list(reader)
    except csv.Error as exc:
        raise DatasetUnreadable(path, f"is broken at line {reader.line_num}") from exc
    if any(None in row or None in row.values() for row in rows):
        raise DatasetUnreadable(path, "has a line with too many or too few columns")
    return rows


def _decoded(line: bytes) -> str:
    """Decode one line: the files mix UTF-8 and Latin-1, sometimes within one file."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _restaurant_items(folder: Path) -> Iterator[Item]:
    cuisines: dict[str, list[str]] = {}
    for row in _table(folder / "chefmozcuisine.csv", {"placeID", "Rcuisine"}):
        cuisines.setdefault(row["placeID"], []).append(row["Rcuisine"])
    for row in _table(folder / "geoplaces2.csv", {"placeID", "name"}):
        categories = tuple(sorted(set(cuisines.get(row["placeID"], []))))
        yield Item(id=row["placeID"], title=row["name"].replace("_", " ").strip(), categories=categories)


def _ratings(path: Path, numbers: Mapping[str, int]) -> Iterator[tuple[int, str, float, float]]:
    for line, row in enumerate(_table(path, {"userID", "placeID", "rating"}), start=2):
        if row["userID"] not in numbers or row["rating"] not in {"0", "1", "2"}:
            raise DatasetUnreadable(path, f"has an unknown person or rating at line {line}")
        if row["rating"] != "0":
            yield numbers[row["userID"]], row["placeID"], float(row["rating"]), float(line)


def _attributes(profile: Mapping[str, str]) -> dict[str, str]:
    attributes = {name: profile[name] for name in _PROFILE_ATTRIBUTES if profile[name] != "?"}
    if profile["birth_year"].isdigit():
        attributes["age"] = _age_band(_PROFILE_YEAR - int(profile["birth_year"]))
    return attributes


def _age_band(years: int) -> str:
    if years < 25:
        return "under-25"
    return "25-39" if years < 40 else "40-and-over"


def _sensitive(profile: Mapping[str, str]) -> dict[str, str]:
    apart = {"userID", *_PROFILE_ATTRIBUTES}
    return {name: value for name, value in profile.items() if name not in apart and value != "?"}
