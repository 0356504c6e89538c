"""Strict reading of a law's TOML tables: every member is known, and of the right type. Django-free."""

from typing import Any


class UnreadablePack(ValueError):
    """Refusal of a file that is no pack: a member is missing, unknown, or of the wrong type."""


_REQUIRED: Any = object()


class Table:
    """Reader of a TOML table that accounts for every member."""

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = members
        self._taken: set[str] = set()

    def holds(self, name: str) -> bool:
        return name in self._members

    def take(self, name: str, kind: type, default: Any = _REQUIRED) -> Any:
        self._taken.add(name)
        if name not in self._members:
            if default is _REQUIRED:
                raise UnreadablePack(f"'{name}' is missing")
            return default
        value = self._members[name]
        # In Python true is a number too, and a moment is a date.
        if type(value) is not kind:
            raise UnreadablePack(f"'{name}' is no {kind.__name__}")
        return value

    def texts(self, name: str) -> list[str]:
        values = self.take(name, list)
        if not all(isinstance(value, str) for value in values):
            raise UnreadablePack(f"'{name}' is no list of texts")
        return list(values)

    def refuse_the_rest(self) -> None:
        unknown = sorted(set(self._members) - self._taken)
        if unknown:
            raise UnreadablePack(f"nobody knows {', '.join(unknown)}")


def members(table: dict[str, Any], kind: type) -> dict[str, Any]:
    """Return a table whose values are all of one type."""
    for name, value in table.items():
        if type(value) is not kind:
            raise UnreadablePack(f"'{name}' is no {kind.__name__}")
    return table
