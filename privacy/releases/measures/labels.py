"""What a label of a copy says of the values behind it. Pure; no Django."""

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from privacy.anonymisation.generalisation import MISSING, Hierarchy

if TYPE_CHECKING:
    from privacy.anonymisation.partition.items import BoolArray

_PARTS = re.compile(r"(?:\\.|[^|\\])+")


def fitting(labels: Any, values: Any, *, ranges: bool = True) -> "BoolArray":
    """Return which values each label covers: a set, a value itself, or, with ``ranges``, one of numbers or days."""
    numbers = np.array([_number(value) for value in values])
    fits = np.zeros((len(labels), len(values)), dtype=bool)
    place_of = {value: place for place, value in enumerate(values.tolist())}
    for row, label in enumerate(labels.tolist()):
        for part in _PARTS.findall(label):
            text = re.sub(r"\\(.)", r"\1", part)
            if text in place_of:
                fits[row, place_of[text]] = True
            if not ranges:
                continue
            low, _, high = text.partition("..")
            ends = _number(low), _number(high or low)
            fits[row] |= (numbers >= ends[0]) & (numbers <= ends[1])
    return fits


def below(labels: Any, values: Any, tree: Hierarchy) -> "BoolArray":
    """Return which values each label covers as a node of a hierarchy."""
    missing = {MISSING, "*"}
    paths = [missing if value == MISSING else {*tree.paths.get(value, ())} for value in values.tolist()]
    return np.array([[label in path for path in paths] for label in labels.tolist()], dtype=bool)


def _number(text: str) -> float:
    """Return a number, or a moment as one; none for any other text."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        pass
    try:
        return float(np.datetime64(text.strip().replace(" ", "T"), "us").astype(np.int64))
    except ValueError:
        return float("nan")
