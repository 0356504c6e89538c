"""What the erasure ledger says to an undo: rows of people who withdrew or were erased since the plan do not come back.

The database says so too, unless it is older than the ledger: restored, or of an erasure that left no record of theirs.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from privacy.erasures import ledger, noting
from privacy.retention.undo import NoUndo


def ended_since(purpose: str | None, since: datetime) -> Callable[[UUID], bool]:
    """Return whether the ledger names a person in a line written since. Raises NoUndo where it cannot be read.

    Without a purpose, where a run was of every one, any line of the person counts.
    """
    try:
        noting.note()
        ended = {line["who"] for line in ledger.lines() if _is_about(line, purpose) and _written(line) >= since}
        who = ledger.marker()
    except (ledger.LedgerBroken, ledger.LedgerMissing) as exc:
        raise NoUndo(f"{exc} Without the erasure ledger, data of erased people could come back.") from exc
    return lambda ref: who(ref) in ended


def _is_about(line: ledger.Line, purpose: str | None) -> bool:
    return "who" in line and (purpose is None or line.get("purpose", purpose) == purpose)


def _written(line: ledger.Line) -> datetime:
    return datetime.fromisoformat(line["at"])
