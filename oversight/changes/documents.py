"""Documents of a register compared, merged and digested. Pure: no database."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from common.canonical import digest_of, sha256

Document = dict[str, Any]
_LONG = 120


@dataclass(frozen=True)
class Proposed:
    """One object as it shall be; ``after`` is None where it shall go."""

    register: str
    key: str
    after: Document | None


@dataclass(frozen=True)
class Compared:
    """One object before and after."""

    register: str
    key: str
    before: Document | None
    after: Document | None


def digest(changes: Iterable[Compared]) -> str:
    """Return the digest of changes; their order makes no difference."""
    listed = [[c.register, c.key, c.before, c.after] for c in sorted(changes, key=lambda c: (c.register, c.key))]
    return digest_of(listed).hex()


def differences(before: Document | None, after: Document | None) -> dict[str, tuple[Any, Any]]:
    """Return the members that differ, each with its value before and after; None where it was not there."""
    old, new = before or {}, after or {}
    return {name: (old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name)}


@dataclass(frozen=True)
class Merged:
    """Result of a merge: the document, and the members that both sides changed to different values."""

    document: Document | None
    clashes: tuple[str, ...]


def merge(base: Document | None, mine: Document | None, theirs: Document | None) -> Merged:
    """Merge what two sides made of the same object, member by member. Where they clash, mine stands."""
    if theirs == base:
        return Merged(mine, ())
    if base is None or mine is None or theirs is None:
        return Merged(mine, () if mine == theirs else ("existence",))
    result, clashes = dict(theirs), []
    for name in {**base, **mine, **theirs}:
        if mine.get(name) == base.get(name) or mine.get(name) == theirs.get(name):
            continue
        result[name] = mine.get(name)
        if theirs.get(name) != base.get(name):
            clashes.append(name)
    return Merged(result, tuple(clashes))


def for_trail(before: Document | None, after: Document | None) -> dict[str, list[Any]]:
    """Return the members that differ as the audit trail holds them: long texts and lists by their digest."""
    return {name: [_short(old), _short(new)] for name, (old, new) in differences(before, after).items()}


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONG:
        return {"sha256": sha256(value.encode()).hex()}
    if isinstance(value, list) and len(value) > _LONG:
        return {"sha256": digest_of(value).hex(), "count": len(value)}
    if isinstance(value, dict):
        return {name: _short(member) for name, member in value.items()}
    return value
