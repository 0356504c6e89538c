"""Lines of the decision log as read, and the columns derived for filters."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from policies.decision_log import shadow

# What reading a line that is not ours can raise.
UNREADABLE = (msgspec.MsgspecError, ValueError, LookupError, TypeError, AttributeError, OverflowError)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DAY_MS = 86_400_000


class _Facts(msgspec.Struct, gc=False):
    action: str = ""
    purpose: str = ""


class _Reason(msgspec.Struct, gc=False):
    code: str


class Entry(msgspec.Struct):
    id: str
    at_us: int
    caller: str
    subject: str
    outcome: str
    reasons: list[_Reason]
    facts: _Facts
    level: str | None = None
    bundle_revision: str = ""
    shadow: msgspec.Raw = msgspec.Raw(b"")  # hardly any entry has one, so it is read where there is one

    @property
    def decided_at(self) -> datetime:
        return datetime.fromtimestamp(self.at_us / 1_000_000, tz=UTC)

    @property
    def codes(self) -> list[str]:
        return [reason.code for reason in self.reasons]

    @property
    def day(self) -> int:
        """Return the identifier's day, counted from 1970, the partition's key. Later than ``at_us`` at midnight."""
        return int(self.id[:8] + self.id[9:13], 16) // _DAY_MS


_decode = msgspec.json.Decoder(Entry).decode


def read(line: bytes | str) -> Entry:
    """Read a line. Raises one of ``UNREADABLE``."""
    entry = _decode(line)
    if _ID.fullmatch(entry.id) is None:
        raise ValueError("The identifier is none.")
    bytes.fromhex(entry.subject)
    # Neither time may be beyond time.
    _ = entry.decided_at, datetime.fromtimestamp(entry.day * _DAY_MS / 1000, tz=UTC)
    return entry


def beside(line: bytes | str, entry: Entry) -> dict[str, Any] | None:
    """Summarise what a candidate would have said instead; None without a difference. Raises one of ``UNREADABLE``."""
    return shadow.summary(msgspec.json.decode(line)) if bytes(entry.shadow) else None


def columns(line: str) -> dict[str, Any]:
    """Return the columns of an entry, derived from it and from nothing else. Raises one of ``UNREADABLE``."""
    entry = read(line)
    return {
        "id": entry.id,
        "decided_at": entry.decided_at,
        "subject_tag": bytes.fromhex(entry.subject),
        "caller": entry.caller,
        "action": entry.facts.action,
        "purpose": entry.facts.purpose,
        "outcome": entry.outcome,
        "level": entry.level or "",
        "reasons": entry.codes,
        "bundle_revision": entry.bundle_revision,
        "shadow": beside(line, entry),
    }
