"""Lines of a verification: a figure or digest, its state, and what was found."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    VERIFIED = "verified"
    DIGEST_ONLY = "digest only"
    DIFFERS = "differs"
    MISSING = "missing"


BAD = (State.DIFFERS, State.MISSING)


@dataclass(frozen=True)
class Line:
    """What was verified, named by where it stands, and what came of it."""

    what: str
    state: State
    why: str = ""

    @property
    def is_bad(self) -> bool:
        return self.state in BAD


@dataclass(frozen=True)
class Report:
    """Every line of a verification, about the revision ``card`` of the version's card; 0 where there is none."""

    lines: tuple[Line, ...]
    card: int = 0

    @property
    def bad(self) -> list[Line]:
        return [line for line in self.lines if line.is_bad]

    @property
    def counts(self) -> dict[str, int]:
        return {str(state): sum(line.state is state for line in self.lines) for state in State}


def compared(what: str, stated: Any, found: Any, state: State = State.VERIFIED) -> Line:
    """Return a line of equal values; ``state`` is what equal ones are."""
    if stated == found:
        return Line(what, state)
    return Line(what, State.DIFFERS, f"{_short(stated)} is stated, {_short(found)} was found.")


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a document with their paths."""
    members: Iterable[tuple[str, Any]]
    if isinstance(value, Mapping):
        members = ((f"{path}.{name}" if path else str(name), each) for name, each in value.items())
    elif isinstance(value, list | tuple):
        members = ((f"{path}[{number}]", each) for number, each in enumerate(value))
    else:
        yield path, value
        return
    for name, each in members:
        yield from flat(each, name)


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
