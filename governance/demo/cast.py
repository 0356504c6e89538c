"""Cast of the story: the person it is about."""

import secrets
from collections import Counter
from pathlib import Path

from governance.demo.datasets import Dataset
from governance.demo.people import region_of
from governance.demo.story import Person

_LIKES = 12


def dataset_name(folder: Path | None) -> str:
    return "restaurants" if folder else "shop"


def leading_person(data: Dataset) -> int:
    """Return the person who liked most different things: there is most to say about recommendations."""
    pairs = set(zip(data.interactions.person, data.interactions.item, strict=True))
    counts = Counter(int(person) for person, _item in pairs)
    adults = {p: c for p, c in counts.items() if data.attributes[p].get("age") != "minor"}
    return max(sorted(adults), key=lambda person: adults[person])


def cast(data: Dataset, name: str) -> Person:
    """Return a new customer with the leading person's taste; each run is about a new person."""
    person = leading_person(data)
    titles = {item.id: item.title for item in data.items}
    liked = dict.fromkeys(
        item for who, item in zip(data.interactions.person, data.interactions.item, strict=True) if who == person
    )
    return Person(
        business_id=f"{name}-customer-{secrets.token_hex(4)}",
        region=region_of(dict(data.attributes[person])),
        likes=[(item, titles[item]) for item in list(liked)[:_LIKES]],
        sensitive=dict(data.sensitive.get(person, {})),
    )
