"""A personal list in words says the same out of columns as of one recommendation after the other."""

import json
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from personalization.recommender.answers import Personal
from personalization.recommender.interactions import Item
from personalization.recommender.signals import Signals
from personalization.rules.hidden import PROMOTED
from personalization.serving import wording
from personalization.serving.reading import Entry
from personalization.serving.tables import Table

ITEMS = tuple(Item(f"item-{number}", f'No. "{number}" <é>') for number in range(8))
LISTED, OWN = 3, 5
MANY = st.lists(st.floats(-3, 3), min_size=LISTED * OWN, max_size=LISTED * OWN)
FLAGS = st.sets(st.integers(0, len(ITEMS) - 1))


def personal(contributions: list[float], now: set[int], tried: set[int]) -> Personal:
    own = Signals(
        np.arange(LISTED, LISTED + OWN), np.ones(OWN), np.ones(OWN, dtype=np.bool_),
        np.isin(np.arange(LISTED, LISTED + OWN), list(now)),
    )  # fmt: skip
    table = np.array(contributions).reshape(LISTED, OWN)
    return Personal(ITEMS, np.arange(LISTED), own, table, np.zeros(LISTED), 3, tried=tried)


def said(worded: list[wording.Worded]) -> tuple[list[Any], list[float]]:
    """Return what is said, and the shares for themselves: halves are rounded in two ways."""
    documents = [json.loads(each.text) for each in worded]
    assert [each["item"] for each in documents] == [each.item for each in worded]
    reasons = [reason for each in documents for part in ("because", "despite") for reason in each[part]]
    return documents, [reason.pop("share") for reason in reasons]


@given(MANY, FLAGS, FLAGS, FLAGS, FLAGS, FLAGS)
@example([0.001, -3.0, -2.0, 0.0, -1.0] * LISTED, set(), set(), set(range(8)), set(), set())  # shares far below -1
def test_columns_say_what_recommendations_say(
    contributions: list[float], now: set[int], tried: set[int], named: set[int], promoted: set[int], liked: set[int]
) -> None:
    listed = personal(contributions, now, tried)
    entries = {
        ITEMS[place].id: Entry.of(ITEMS[place].id, f"{place} & more", (PROMOTED,) if place in promoted else ())
        for place in named
    }
    table, likes = Table(ITEMS), {ITEMS[place].id for place in liked}
    table.fill(np.arange(len(ITEMS)), entries)

    documents, shares = said(wording.personal(listed, table, likes))
    expected, their_shares = said(wording.explained(list(listed), entries, likes))

    assert documents == expected
    assert np.allclose(shares, their_shares, rtol=0, atol=1.01e-4)
