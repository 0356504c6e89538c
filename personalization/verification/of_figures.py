"""Registered figures held against those that came out again; and which of them a card can be held against."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from personalization.verification.lines import Line, State, compared, flat


@dataclass(frozen=True)
class Borne:
    """Figures that a card is held against: each with how it is known. What is not here, nothing bears out."""

    figures: Mapping[str, Any]
    states: Mapping[str, State]

    def get(self, name: str) -> tuple[Any, State] | None:
        return (self.figures[name], self.states[name]) if name in self.figures else None


def borne(registered: Mapping[str, Any], found: Mapping[str, Any], *, are_signed: bool) -> Borne:
    """Return the figures that came out again; those that could not, as they were registered, where that is signed."""
    figures = {**(registered if are_signed else {}), **found}
    states = {name: State.VERIFIED if name in found else State.DIGEST_ONLY for name in figures}
    return Borne(figures, states)


def lines(registered: Mapping[str, Any], found: Mapping[str, Any], *, are_signed: bool) -> Iterator[Line]:
    """Yield a line for each registered figure."""
    for name in sorted(registered.keys() | found.keys()):
        if name in found:
            yield from _recomputed(name, registered.get(name), found[name])
        else:
            yield from _registered(name, registered[name], are_signed)


def _recomputed(name: str, stated: Any, found: Any) -> Iterator[Line]:
    before, after = dict(flat(stated, name)), dict(flat(found, name))
    for path in sorted(before.keys() | after.keys()):
        yield compared(f"registered: {path}", before.get(path), after.get(path))


def _registered(name: str, stated: Any, are_signed: bool) -> Iterator[Line]:
    for path, _figure in flat(stated, name):
        if are_signed:
            yield Line(f"registered: {path}", State.DIGEST_ONLY)
        else:
            yield Line(f"registered: {path}", State.MISSING, "There is nothing left to recompute it from.")
