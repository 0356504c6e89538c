"""Labels and losses of classes: what is published of each, and what that gives away of the data's use.

A label is written once for each different set of values, not once a class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privacy.anonymisation.generalisation import CategoricalDomain, Column, Domain, FloatArray, IntArray
from privacy.anonymisation.partition.items import group_rows

_MIXING = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9)


@dataclass(frozen=True)
class Description:
    """One quasi-identifier of all classes: the ``labels``, which of them each class has, and each class's loss.

    A label covers the codes ``members[starts[label]:starts[label + 1]]``: all of a set, else the first, the second and
    the last.
    """

    labels: Column
    label_of: IntArray
    loss: FloatArray
    members: IntArray
    starts: IntArray

    def joined(self, first: IntArray, same: IntArray, rows: IntArray) -> "Description":
        """Describe classes that read the same as one: ``first`` of each, and which of them each of ``rows`` becomes."""
        lost = np.bincount(same, weights=self.loss * rows, minlength=len(first))
        loss = lost / np.maximum(np.bincount(same, weights=rows, minlength=len(first)), 1)
        return Description(self.labels, self.label_of[first], loss, self.members, self.starts)


def appended(each: Sequence[Description]) -> Description:
    """Describe the classes of several tables in a row, by one list of labels."""
    place_of: dict[str, int] = {}
    places_of = [
        np.array([place_of.setdefault(text, len(place_of)) for text in one.labels.tolist()], dtype=np.int64)
        for one in each
    ]
    members, lengths = list[IntArray](), list[int]()
    taken: set[int] = set()
    for one, places in zip(each, places_of, strict=True):
        for label, place in enumerate(places.tolist()):
            if place not in taken:
                taken.add(place)
                members.append(one.members[one.starts[label] : one.starts[label + 1]])
                lengths.append(len(members[-1]))
    return Description(
        np.array(list(place_of), dtype=object),
        np.concatenate([places[one.label_of] for one, places in zip(each, places_of, strict=True)]),
        np.concatenate([one.loss for one in each]),
        np.concatenate(members) if members else each[0].members,
        np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
    )


def describe(domain: Domain, codes: IntArray, classes: IntArray, number: int) -> Description:
    """Describe ``number`` classes by the codes of their items; each class has an item."""
    present = _distinct(classes * domain.size + codes, number * domain.size)
    owner, members = np.divmod(present, domain.size)
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    if isinstance(domain, CategoricalDomain):
        first, label_of = _different_sets(members, owner, starts)
    else:
        members, starts = _ends(members, starts)
        first, label_of, _ = group_rows(list(members.reshape(number, -1).T), [domain.size] * 3)
    bounds = np.append(starts, len(members))
    sets = [members[start:end] for start, end in zip(bounds[first], bounds[first + 1], strict=True)]
    if not isinstance(domain, CategoricalDomain):
        sets = [np.array(sorted(set(ends.tolist()))) for ends in sets]
    labels = np.array([domain.label(codes) for codes in sets], dtype=object)
    loss = np.array([domain.loss(codes) for codes in sets])
    lengths = np.array([len(codes) for codes in sets], dtype=np.int64)
    # A hierarchy may use one name on two levels: to a reader they are one label.
    same = {text: number for number, text in reversed(list(enumerate(labels.tolist())))}
    read_as = np.array([same[text] for text in labels.tolist()], dtype=np.int64)
    return Description(
        labels,
        read_as[label_of],
        loss[label_of],
        np.concatenate(sets) if sets else members,
        np.concatenate([[0], np.cumsum(lengths)]),
    )


def _ends(members: IntArray, starts: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first, the second and the last code of each class: ranges and common ancestors follow from them.

    The first of a range may be the missing value.
    """
    last = np.append(starts[1:], len(members)) - 1
    ends = np.stack([members[starts], members[np.minimum(starts + 1, last)], members[last]])
    return ends.T.ravel(), np.arange(0, 3 * len(starts), 3)


def _distinct(keys: IntArray, span: int) -> IntArray:
    """Return the different keys in ascending order; by marking them where that takes less memory than sorting."""
    if span > 64 * len(keys):
        return np.unique(keys)
    held = np.zeros(span, dtype=bool)
    held[keys] = True
    return np.flatnonzero(held)


def _different_sets(members: IntArray, owner: IntArray, starts: IntArray) -> tuple[IntArray, IntArray]:
    """Return a class of each different set of codes, and which of them each class has.

    Sets are compared by a sum of mixed codes first. Where that is one for two different sets, byte by byte.
    """
    lengths = np.diff(starts, append=len(members))
    mixed = members.astype(np.uint64) + np.uint64(1)
    for factor in _MIXING:
        mixed *= np.uint64(factor)
        mixed ^= mixed >> np.uint64(29)
    sums = np.add.reduceat(mixed, starts) if len(starts) else mixed
    _, first, label_of = np.unique(sums, return_index=True, return_inverse=True)
    like = first[label_of]
    if (lengths == lengths[like]).all():
        place = np.arange(len(members)) - starts[owner] + starts[like][owner]
        if (members == members[place]).all():
            return first, label_of
    return _compared(members, starts)


def _compared(members: IntArray, starts: IntArray) -> tuple[IntArray, IntArray]:
    first: dict[bytes, int] = {}
    label_of = np.empty(len(starts), dtype=np.int64)
    representatives: list[int] = []
    for place, codes in enumerate(np.split(members, starts[1:])):
        label_of[place] = first.setdefault(codes.tobytes(), len(first))
        if label_of[place] == len(representatives):
            representatives.append(place)
    return np.array(representatives, dtype=np.int64), label_of
