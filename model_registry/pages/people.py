"""People whom a version may serve now: counted by purpose, level and region, and never a group of fewer than k.

No total is shown: what is left of one after the groups would say how large a group is that is not shown.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from common.levels import LEVELS
from common.suppression import smallest_group
from consent.ledger import people_counts
from consent.models import NO_NOTICES, current_notice_versions
from model_registry.models import ModelVersion

_MOST_ROWS = 12
# Of more people a sample of about so many is read, so that the time of a page does not grow with the table.
_READ = 100_000

_COUNT = """
SELECT wanted.slug, least_of.level, people.region, count(*)
FROM (SELECT region, consents FROM consent_datasubject {sample}
      WHERE NOT restricted AND NOT held AND erased_revision IS DISTINCT FROM revision OFFSET 0) people
CROSS JOIN unnest(%(slugs)s::text[], %(needs)s::boolean[], %(required)s::bigint[])
  AS wanted(slug, needs_consent, required)
CROSS JOIN LATERAL (SELECT people.consents->wanted.slug AS entry OFFSET 0) answer
CROSS JOIN LATERAL (SELECT coalesce(entry->>'lv', 'individual') AS level) least_of
WHERE CASE WHEN wanted.needs_consent
  THEN entry->>'s' = 'given' AND (entry->>'n')::bigint >= wanted.required
    AND coalesce((entry->>'x')::bigint > %(now)s, true)
  ELSE coalesce(entry->>'s', 'given') = 'given' END
GROUP BY 1, 2, 3
"""


@dataclass(frozen=True)
class Group:
    """People of a purpose, a level and a region; at least ``smallest_group()``."""

    purpose: str
    level: str
    region: str
    people: int


@dataclass(frozen=True)
class Served:
    """Groups, largest first; ``has_more``: smaller ones are not shown. ``is_estimate``: a sample was read."""

    groups: list[Group]
    has_more: bool
    is_estimate: bool
    smallest: int


def served(version: ModelVersion, *, now: datetime) -> Served:
    """Count the people whose answers let a version serve them. One statement over the projection, or a sample of it."""
    k = smallest_group()
    share = min(1.0, _READ / max(people_counts.expected(), 1))
    counted: Counter[tuple[str, str, str]] = Counter()
    for purpose, level, region, people in _rows(version, share, now):
        counted[purpose, min(level, version.max_level, key=LEVELS.__getitem__), region] += round(people / share)
    large = [Group(*group, people) for group, people in counted.items() if people >= k]
    shown = sorted(large, key=lambda group: (-group.people, group.purpose, group.level, group.region))[:_MOST_ROWS]
    return Served(shown, len(counted) > len(shown), share < 1, k)


def _rows(version: ModelVersion, share: float, now: datetime) -> list[tuple[str, str, str, int]]:
    purposes, notices = list(version.purposes.all()), current_notice_versions()
    sample = "" if share == 1 else f"TABLESAMPLE SYSTEM ({100 * share:.6f}) REPEATABLE (1)"
    values: dict[str, Any] = {
        "slugs": [purpose.slug for purpose in purposes],
        "needs": [purpose.needs_consent for purpose in purposes],
        "required": [notices.get(purpose.slug, NO_NOTICES)["required"] for purpose in purposes],
        "now": int(now.timestamp()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(sample=sample), values)
        return [(str(slug), str(level), str(region), int(people)) for slug, level, region, people in cursor.fetchall()]
