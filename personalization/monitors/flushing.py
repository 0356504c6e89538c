"""Write what this process has counted into the database, by day and version: every half minute, and at its end.

What could not be written is written the next time; a process that is killed loses half a minute of it.
"""

from collections import Counter
from collections.abc import Mapping

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from common.counting import flushing
from common.counting.counts import MOMENTARY
from model_registry.models import ModelVersion
from personalization.monitors import tally

EVERY_S = 30.0
# Rows in the order of their key: two processes that write the same ones wait for each other and never stop each other.
_COUNTS = """
INSERT INTO personalization_servedcount AS old (version_id, day, name, numbers) VALUES (%s, %s, %s, %s)
ON CONFLICT (version_id, day, name) DO UPDATE SET numbers = (
  SELECT array_agg(a + b ORDER BY place)
  FROM unnest(old.numbers, excluded.numbers) WITH ORDINALITY AS both_sides (a, b, place)
)
"""
_SHOWN = """
INSERT INTO personalization_itemexposure AS old (version_id, day, item, shown) VALUES (%s, %s, %s, %s)
ON CONFLICT (version_id, day, item) DO UPDATE SET shown = old.shown + excluded.shown
"""


class Flusher:
    """What of this process's counts is in the database. What it took over from ended processes was theirs to write."""

    def __init__(self) -> None:
        self._written = tally.counts().own()

    def flush(self) -> None:
        """Write what was counted since. Raises DatabaseError; nothing is lost then."""
        now, shown = tally.counts().own(), tally.take_shown()
        try:
            _write(self._since(now), shown)
        except DatabaseError:
            tally.give_back(shown)
            raise
        self._written = now

    def _since(self, now: Mapping[str, list[float]]) -> dict[str, list[float]]:
        grown = {
            name: [new - old for new, old in zip(numbers, self._written.get(name, [0.0] * len(numbers)), strict=True)]
            for name, numbers in now.items()
            if not name.startswith(MOMENTARY)
        }
        return {name: numbers for name, numbers in grown.items() if any(numbers)}


@transaction.atomic
def _write(grown: Mapping[str, list[float]], shown: Counter[tuple[str, str]]) -> None:
    if not grown and not shown:
        return
    known, day = _versions(), timezone.now().date()
    rows = []
    for name, numbers in grown.items():
        kind, _, rest = name.partition(" ")
        model, _, rest = rest.partition(" ")
        if model in known:
            rows.append((known[model], day, f"{kind} {rest}", numbers))
    items = [(known[model], day, item, count) for (model, item), count in shown.items() if model in known]
    with connection.cursor() as cursor:
        if rows:
            cursor.executemany(_COUNTS, sorted(rows))
        if items:
            cursor.executemany(_SHOWN, sorted(items))


def _versions() -> dict[str, int]:
    """Return the ids of versions by the name that answers give them."""
    rows = ModelVersion.objects.values_list("pk", "model__slug", "version")
    return {f"{slug}@{version}": pk for pk, slug, version in rows}


def in_background() -> None:
    """Flush in a thread of its own from now on: for processes that answer requests."""
    flushing.in_background(Flusher().flush, every_s=EVERY_S, name="monitor-counts")
