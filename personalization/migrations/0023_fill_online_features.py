"""Rows of a person's latest events for those who have none yet: after an upgrade, and where a deletion took theirs."""

from django.db import migrations

# An entry, oldest first: 8 bytes of the item's digest, the kind's number, the weight, seconds since 1970. What is out of
# range is cut: an event that can be stored can be noted here.
_ENTRY = """
  substr(sha256(convert_to(item_id, 'UTF8')), 1, 8)
  || set_byte('\\x00', 0, CASE kind WHEN 'view' THEN 1 WHEN 'click' THEN 2 WHEN 'dwell' THEN 3 WHEN 'like' THEN 4
    WHEN 'rating' THEN 5 WHEN 'purchase' THEN 6 WHEN 'skip' THEN 7 WHEN 'dismiss' THEN 8 WHEN 'undo' THEN 9 ELSE 0 END)
  || float4send(least(greatest(weight, -1e30), 1e30)::real)
  || int4send((least(greatest(floor(extract(epoch FROM occurred_at)), 0), 4294967295)::bigint - 2147483648)::integer)
"""
_BYTES, _RECENT, _MOST_RECENT, _ALL = 17, 100, 112, 5_000
_LOCK = 0x66656174  # "feat"
_MAKE = f"""
CREATE OR REPLACE FUNCTION assent_features_make(people uuid[], purposes text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- What a deletion under way has deleted is still visible here, so nothing is made of it: the row stays open, and who
  -- reads it reads the events. To wait for the deletion could be for ever, as it may wait for these rows.
  IF NOT pg_try_advisory_xact_lock({_LOCK}) THEN
    UPDATE personalization_onlinefeatures f SET recent = NULL, older = NULL
    FROM unnest(people, purposes) p (ref, purpose) WHERE f.subject_ref = p.ref AND f.purpose = p.purpose;
    RETURN;
  END IF;
  UPDATE personalization_onlinefeatures f
  SET recent = e.recent, older = e.older, since = e.since, newest = e.newest
  FROM unnest(people, purposes) p (ref, purpose), LATERAL (
    SELECT string_agg({_ENTRY}, ''::bytea ORDER BY occurred_at, id) FILTER (WHERE place <= {_RECENT}) AS recent,
      string_agg({_ENTRY}, ''::bytea ORDER BY occurred_at, id) FILTER (WHERE place > {_RECENT}) AS older,
      min(occurred_at) AS since, max(occurred_at) AS newest
    FROM (
      SELECT id, item_id, kind, weight, occurred_at, row_number() OVER (ORDER BY occurred_at DESC, id DESC) AS place
      FROM personalization_event WHERE subject_ref = p.ref AND purpose = p.purpose
      ORDER BY occurred_at DESC, id DESC LIMIT {_ALL}
    ) events
  ) e
  WHERE f.subject_ref = p.ref AND f.purpose = p.purpose;
END $$;
"""
# As in migration 0018, with what makes rows anew as a function of its own.
_ADD = f"""
CREATE OR REPLACE FUNCTION assent_features_add() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  people uuid[];
  purposes text[];
BEGIN
  -- Rows are locked in the order of their keys, as by every other statement here. To a known row the new entries are
  -- appended; a row that is new, or whose person did something earlier than was known, is open: it is made anew below.
  WITH kept AS (
    INSERT INTO personalization_onlinefeatures AS f (subject_ref, purpose, since, newest, recent)
    SELECT subject_ref, purpose, min(occurred_at), max(occurred_at),
      string_agg({_ENTRY}, ''::bytea ORDER BY occurred_at, id)
    FROM added GROUP BY subject_ref, purpose ORDER BY subject_ref, purpose
    ON CONFLICT (subject_ref, purpose) DO UPDATE SET
      since = least(f.since, excluded.since),
      newest = greatest(f.newest, excluded.newest),
      recent = CASE WHEN excluded.since < f.newest THEN NULL
        WHEN length(f.recent) + length(excluded.recent) <= {_MOST_RECENT * _BYTES} THEN f.recent || excluded.recent
        ELSE assent_last_bytes(f.recent || excluded.recent, {_RECENT * _BYTES}) END,
      older = CASE WHEN excluded.since < f.newest THEN NULL
        WHEN length(f.recent) + length(excluded.recent) <= {_MOST_RECENT * _BYTES} THEN f.older
        ELSE assent_last_bytes(coalesce(f.older, '') || substr(f.recent || excluded.recent, 1,
          length(f.recent) + length(excluded.recent) - {_RECENT * _BYTES}), {(_ALL - _RECENT) * _BYTES}) END
    RETURNING f.subject_ref, f.purpose, f.recent IS NULL OR f.xmax = 0 AS is_open
  )
  SELECT array_agg(subject_ref), array_agg(purpose) INTO people, purposes FROM kept WHERE is_open;
  IF people IS NOT NULL THEN
    PERFORM assent_features_make(people, purposes);
  END IF;
  RETURN NULL;
END $$;
"""
# Nothing is made while a deletion is under way, and one that begins during it waits: events found to exist are still
# there when their row is made of them.
_FILL = f"""
CREATE FUNCTION assent_features_fill(people uuid[], purposes text[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  open_people uuid[];
  open_purposes text[];
BEGIN
  IF NOT pg_try_advisory_xact_lock({_LOCK}) THEN
    RETURN 0;
  END IF;
  WITH kept AS (
    INSERT INTO personalization_onlinefeatures AS f (subject_ref, purpose, since, newest)
    SELECT p.ref, p.purpose, now(), now() FROM unnest(people, purposes) p (ref, purpose)
    WHERE EXISTS (SELECT FROM personalization_event e WHERE e.subject_ref = p.ref AND e.purpose = p.purpose)
    ORDER BY p.ref, p.purpose
    ON CONFLICT (subject_ref, purpose) DO UPDATE SET newest = f.newest WHERE f.recent IS NULL
    RETURNING f.subject_ref, f.purpose
  )
  SELECT array_agg(subject_ref), array_agg(purpose) INTO open_people, open_purposes FROM kept;
  PERFORM assent_features_make(open_people, open_purposes);
  RETURN coalesce(cardinality(open_people), 0);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("personalization", "0022_events_by_id")]
    operations = [
        migrations.RunSQL([_MAKE, _ADD], migrations.RunSQL.noop),
        migrations.RunSQL(_FILL, "DROP FUNCTION assent_features_fill(uuid[], text[])"),
    ]
