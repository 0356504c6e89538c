"""Streams of numbered events: which numbers arrived, and by day how many never did."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b
from uuid import UUID

from django.db import connection, transaction

from personalization.intake.bodies import EventBody

_AGE = timedelta(days=2)
"""A stream that was silent for so long is over: what has not arrived by then is lost."""
# The key of the row is locked in order, so two requests with the same streams wait for each other.
_NOTE = """
INSERT INTO personalization_eventstream AS known (key, sender, arrived, updated_at)
SELECT key, %(sender)s, range_agg(int4range(number, number, '[]')), clock_timestamp()
FROM unnest(%(keys)s::uuid[], %(numbers)s::int[]) AS given(key, number) GROUP BY key ORDER BY key
ON CONFLICT (key) DO UPDATE SET arrived = known.arrived + excluded.arrived, updated_at = excluded.updated_at
"""
_CLOSE = """
WITH over AS (
  DELETE FROM personalization_eventstream WHERE updated_at < now() - %s::interval
  RETURNING sender, updated_at, upper(arrived) AS numbered,
    (SELECT sum(upper(part) - lower(part)) FROM unnest(arrived) AS part) AS arrived
)
INSERT INTO personalization_signalloss AS known (day, sender, numbered, lost)
SELECT (updated_at AT TIME ZONE 'UTC')::date, sender, sum(numbered), sum(numbered - arrived) FROM over GROUP BY 1, 2
ON CONFLICT (day, sender) DO UPDATE
  SET numbered = known.numbered + excluded.numbered, lost = known.lost + excluded.lost
"""


def note(bodies: Sequence[EventBody], sender: str) -> None:
    """Note the numbers of the events that carry one; a repeat changes nothing."""
    numbered = [body for body in bodies if body.stream is not None]
    if not numbered:
        return
    keys = [_key(sender, str(body.stream)) for body in numbered]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"sender": sender, "keys": keys, "numbers": [body.sequence for body in numbered]})


@transaction.atomic
def close_silent() -> None:
    """Count what was lost of the streams that are over, by day and sender, and forget them."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, [f"{_AGE.total_seconds()} seconds"])


def _key(sender: str, stream: str) -> UUID:
    return UUID(bytes=blake2b(f"{sender}\x00{stream}".encode(), digest_size=16).digest())
