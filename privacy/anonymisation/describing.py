"""Labels and losses of classes: what is published of each, and what that gives away of the data's use.

A label is written once for each different set of values, not once a class.
"""

from dataclasses import dataclass

import numpy as np

from privacy.anonymisation.generalisation import CategoricalDomain, Column, Domain, FloatArray, IntArray


@dataclass(frozen=True)
class Description:
    """One quasi-identifier of all classes: the ``labels``, which of them each class has, and each class's loss."""

    labels: Column
    label_of: IntArray
    loss: FloatArray


def describe(domain: Domain, codes: IntArray, classes: IntArray, number: int) -> Description:
    """Describe ``number`` classes by the codes of their items; each class has an item."""
    present = np.unique(classes * domain.size + codes)
    starts = np.flatnonzero(np.diff(present // domain.size, prepend=-1))
    members = present % domain.size
    if isinstance(domain, CategoricalDomain):
        first, label_of = _different_sets(members, np.repeat(np.arange(number), np.diff(starts, append=len(members))))
    else:
        # Ranges and common ancestors follow from the lowest and the highest code.
        ends = np.append(starts[1:], len(members)) - 1
        pairs = members[starts] * domain.size + members[ends]
        _, first, label_of = np.unique(pairs, return_index=True, return_inverse=True)
    sets = [members[start:end] for start, end in zip(starts[first], np.append(starts, len(members))[first + 1], strict=True)]
    labels = np.array([domain.label(codes) for codes in sets], dtype=object)
    loss = np.array([domain.loss(codes) for codes in sets])
    return Description(labels, label_of, loss[label_of])


def _different_sets(members: IntArray, owner: IntArray) -> tuple[IntArray, IntArray]:
    """Return a class of each different set of codes, and which of them each class has."""
    number = int(owner[-1]) + 1
    first: dict[bytes, int] = {}
    cuts = np.searchsorted(owner, np.arange(number + 1))
    small = members.astype(np.int32)
    numbers = np.empty(number, dtype=np.int64)
    representatives = []
    content, width = small.tobytes(), small.itemsize
    for place, (start, end) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
        key = content[start * width : end * width]
        known = first.setdefault(key, len(first))
        if known == len(representatives):
            representatives.append(place)
        numbers[place] = known
    return np.array(representatives), numbers
