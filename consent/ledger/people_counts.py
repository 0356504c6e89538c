"""Count people by what their answer to a purpose is worth, for pages and previews: one scan of the projection."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

# ``own`` is the answer to the purpose, ``lent`` the one to the broader purpose, which counts where there is no own one.
_COUNT = """
SELECT count(*) FILTER (WHERE own_counts),
  count(*) FILTER (WHERE own_counts AND (own->>'n')::bigint = ANY(%(beyond)s)),
  count(*) FILTER (WHERE own->>'s' = 'given' AND (own->>'n')::bigint < %(required)s AND NOT own_ended),
  count(*) FILTER (WHERE own IS NULL AND lent_counts),
  count(*) FILTER (WHERE own IS NULL AND lent_counts AND (lent->>'n')::bigint = ANY(%(lent_beyond)s))
FROM (
  SELECT own, lent, coalesce((own->>'x')::bigint <= %(now)s, false) AS own_ended,
    own->>'s' = 'given' AND coalesce((own->>'x')::bigint > %(now)s, true)
      AND (own->>'n')::bigint >= %(required)s AS own_counts,
    lent->>'s' = 'given' AND coalesce((lent->>'x')::bigint > %(now)s, true)
      AND (lent->>'n')::bigint >= %(lent_required)s AS lent_counts
  FROM (
    SELECT consents->%(purpose)s AS own, consents->%(broader)s AS lent FROM consent_datasubject
    WHERE jsonb_exists_any(consents, ARRAY[%(purpose)s, %(broader)s])
    OFFSET 0
  ) answers
) judged
"""


@dataclass(frozen=True)
class Lending:
    """A purpose whose yes is counted, and the versions of its notice that cover less than is said now."""

    slug: str
    required: int
    beyond: Collection[int]


@dataclass(frozen=True)
class Counted:
    """People: with a yes that counts, of them partly; to be asked again; with a broader yes alone, of them partly."""

    given: int
    given_partly: int
    asked_again: int
    inherited: int
    inherited_partly: int


def count(purpose: Lending, broader: Lending | None, *, now: datetime) -> Counted:
    """Count people by their answer to ``purpose``, and by that to ``broader`` where they have none of their own."""
    values: dict[str, str | int | list[int]] = {
        "purpose": purpose.slug,
        "required": purpose.required,
        "beyond": list(purpose.beyond),
        "broader": broader.slug if broader else purpose.slug,
        "lent_required": broader.required if broader else 0,
        "lent_beyond": list(broader.beyond) if broader else [],
        "now": int(now.timestamp()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        return Counted(*cursor.fetchone())
