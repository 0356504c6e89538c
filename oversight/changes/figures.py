"""Figures of a preview: what was measured over the registers before a change and after it, each by its method."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from oversight.changes.documents import Compared


@dataclass(frozen=True)
class Measured:
    """A figure or a text over the registers as they are: what it is of, and by which method."""

    key: str
    label: str
    value: int | str
    method: str


Effect = Callable[[Sequence[Compared]], Iterable[Measured]]
_effects: list[Effect] = []


def add_effect(*effects: Effect) -> None:
    """Register functions that measure the registers before the write and after it; they have to be quick."""
    _effects.extend(effect for effect in effects if effect not in _effects)


def measure(changes: Sequence[Compared]) -> list[Measured]:
    """Return every figure over the registers as they stand in this transaction."""
    return [figure for effect in _effects for figure in effect(changes)]


def paired(before: Iterable[Measured], after: Iterable[Measured]) -> list[dict[str, Any]]:
    """Return each figure with its value before and after; what is only there before or after has None."""
    old = {figure.key: figure for figure in before}
    new = {figure.key: figure for figure in after}
    return [
        {
            "key": key,
            "label": figure.label,
            "method": figure.method,
            "before": old[key].value if key in old else None,
            "after": new[key].value if key in new else None,
        }
        for key, figure in {**old, **new}.items()
    ]
