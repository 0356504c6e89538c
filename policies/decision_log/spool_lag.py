"""Lag of the decision log behind the answers: what this machine's spools hold that was not yet copied."""

import json
from dataclasses import dataclass
from pathlib import Path

from policies.decision_log.log_lines import UNREADABLE
from policies.decision_log.spool import SUFFIX
from policies.models import SpoolPosition

_LONGEST_LINE = 256 * 1024


@dataclass(frozen=True)
class Lag:
    """Lag of the spools. ``oldest`` is when the oldest waiting decision was made, in epoch seconds, or None."""

    waiting_bytes: int
    oldest: float | None


def lag(folder: Path) -> Lag:
    """Read sizes, positions (one statement) and the first waiting line of each spool."""
    positions = dict(SpoolPosition.objects.values_list("name", "position"))
    waiting, oldest = 0, None
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            position = positions.get(path.name, 0)
            rest = path.stat().st_size - position
            moment = _first_moment(path, position) if rest > 0 else None
        except FileNotFoundError:
            continue  # copied and removed since
        waiting += max(rest, 0)
        if moment is not None:
            oldest = moment if oldest is None else min(oldest, moment)
    return Lag(waiting, oldest)


def _first_moment(path: Path, position: int) -> float | None:
    with path.open("rb") as spool:
        spool.seek(position)
        line = spool.readline(_LONGEST_LINE)
    try:
        return float(json.loads(line)["at_us"]) / 1_000_000
    except UNREADABLE:
        return None
