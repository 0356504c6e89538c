"""Write a set's changes into the registers: what others name first, and removals last."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from oversight import guard, registers, rows
from oversight.changes.documents import Compared
from oversight.problems import Outdated

_set: ContextVar[int | None] = ContextVar("set", default=None)


def set_in_force() -> int | None:
    """Return the number of the set that is being brought into force in this context, for the events of its rows."""
    return _set.get()


@contextmanager
def of_set(number: int) -> Iterator[None]:
    """Until the block ends, what is written is a set's."""
    token = _set.set(number)
    try:
        yield
    finally:
        _set.reset(token)


@dataclass
class Written:
    """What was written: the rows' state for the audit trail, and whether a bundle holds any of it."""

    sealed: list[dict[str, str]] = field(default_factory=list)
    in_bundle: bool = False


def refuse_outdated(changes: Iterable[Compared]) -> None:
    """Lock each object and refuse where it is not as the set knew it. Raises Outdated."""
    moved = [
        f"{change.register} {change.key}"
        for change in sorted(changes, key=lambda c: (registers.rank(c.register), c.key))
        if rows.find_document(registers.find(change.register), change.key, lock=True) != change.before
    ]
    if moved:
        raise Outdated(
            f"Changed since this was drafted: {', '.join(moved)}. Bring the draft up to date and propose it again."
        )


def write(changes: Sequence[Compared], *, writer: str) -> Written:
    """Write all changes in the transaction of the caller. Raises ChangeRefused."""
    done = Written()
    with guard.writing(writer):
        for change in _in_order(changes):
            register = registers.find(change.register)
            row = rows.write_document(register, change.key, change.after)
            done.in_bundle |= register.in_bundle
            if row is not None and register.sealed is not None:
                row.refresh_from_db()  # the digest is of what the database made of it
                done.sealed.append(register.sealed.state_of(row))
    return done


def _in_order(changes: Sequence[Compared]) -> list[Compared]:
    """Return changes in the order in which they can be written: a new row after those that it names."""
    kept = sorted((c for c in changes if c.after is not None), key=lambda c: registers.rank(c.register))
    gone = sorted((c for c in changes if c.after is None), key=lambda c: -registers.rank(c.register))
    ordered: list[Compared] = []
    waiting = list(kept)
    while waiting:
        new = {(c.register, c.key) for c in waiting if c.before is None}
        ready = [c for c in waiting if not _names_one_of(c, new)] or waiting  # a ring is left to the database
        ordered += ready
        waiting = [c for c in waiting if c not in ready]
    # What freezes what the others say comes after what goes, too.
    last = [c for c in ordered if registers.find(c.register).is_last]
    return [*(c for c in ordered if c not in last), *gone, *last]


def _names_one_of(change: Compared, new: set[tuple[str, str]]) -> bool:
    """Return whether a change links to a new row of its own register that is not written yet."""
    register = registers.find(change.register)
    links = [f.name for f in register.fields if f.is_relation and f.related_model is register.model]
    return any((change.register, (change.after or {}).get(name)) in new for name in links)
