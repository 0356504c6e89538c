"""Classes as they were formed: what the measures of loss and risk are taken from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from privacy.anonymisation.describing import Description
from privacy.anonymisation.generalisation import Domain, IntArray
from privacy.anonymisation.partition.items import BoolArray, Items
from privacy.anonymisation.partition.method import SUPPRESSED
from privacy.anonymisation.wish import Wish


@dataclass(frozen=True)
class Result:
    """The class of each item (SUPPRESSED for those left out) and what is published of each class."""

    wish: Wish
    domains: Mapping[str, Domain]
    sensitive: Domain | None
    items: Items
    classes: IntArray
    shown: Mapping[str, Description]

    @cached_property
    def number(self) -> int:
        """Return how many classes there are."""
        return int(self.classes.max(initial=-1)) + 1

    @cached_property
    def kept(self) -> BoolArray:
        """Return which items are published."""
        kept: BoolArray = self.classes != SUPPRESSED
        return kept

    @cached_property
    def published(self) -> Items:
        """Return the items that are published."""
        return self.items if self.kept.all() else self.items.take(np.flatnonzero(self.kept))

    @cached_property
    def rows(self) -> IntArray:
        """Return the rows of each class."""
        counted = np.bincount(self.classes[self.kept], weights=self.published.rows, minlength=self.number)
        return counted.astype(np.int64)

    @cached_property
    def people(self) -> IntArray:
        """Return the people of each class; its rows where no column names the person."""
        return self.published.people_in(self.classes[self.kept], self.number)

    @cached_property
    def total(self) -> int:
        """Return the rows of the table."""
        return int(self.items.rows.sum())

    @cached_property
    def suppressed(self) -> int:
        """Return the rows that are left out."""
        return self.total - int(self.rows.sum())

    @cached_property
    def value_counts(self) -> IntArray | None:
        """Return the rows of each sensitive value in each class, None without a sensitive column."""
        if self.sensitive is None:
            return None
        return self.published.values_of(self.classes[self.kept], self.number)
