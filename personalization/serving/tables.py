"""Items of a model in columns, as lists name them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from personalization.recommender.interactions import Item
from personalization.serving.reading import Entry


class Table:
    """Items of a model as a list names them, by their positions: JSON objects up to the title, titles, what is paid.

    To take sixty texts out of a column costs less than to look for them one by one. Not ``is_named`` is what a rule
    hides, and what is in no catalogue.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.begun = np.full(len(items), "", dtype=np.object_)
        self.titles = np.full(len(items), "", dtype=np.object_)
        self.is_known, self.is_named, self.is_promoted = np.zeros((3, len(items)), dtype=np.bool_)

    def fill(self, positions: NDArray[np.intp], named: Mapping[str, Entry]) -> None:
        """Take over how items at these positions are named; those that are not in ``named`` are not."""
        for place in positions.tolist():
            entry = named.get(self.items[place].id)
            if entry is not None:
                self.begun[place], self.titles[place] = entry.begun, entry.title
                self.is_promoted[place], self.is_named[place] = entry.is_promoted, True
        self.is_known[positions] = True
