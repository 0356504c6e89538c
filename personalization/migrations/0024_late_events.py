"""An event that comes late takes its place among a person's recent entries, instead of having the row made anew.

The entries from its second on are cut off and read again from the events; the rest of the row stands. Only where that
second lies before the recent entries is the row made of all its events, as before. Of several batches that are stored
at once nearly each holds a late event for one of its people.

The lock that a deletion takes is not needed: it is against rows that a deletion did not find, and a row with entries
was there. A deletion that is under way removes it as soon as this transaction lets go of it.
"""

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
# What precedes a second, with a byte behind it by which a cut row is known until its end is there again; NULL where
# nothing does, or where moments are out of range. The sign of an entry's seconds is turned (they count from 2^31).
_CUT = f"""
CREATE FUNCTION assent_features_cut(entries bytea, second bigint) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  number integer := length(entries) / {_BYTES};
  place integer;
BEGIN
  WHILE number > 0 LOOP
    place := number * {_BYTES} - 4;
    EXIT WHEN ((get_byte(entries, place) # 128)::bigint << 24) + (get_byte(entries, place + 1) << 16)
      + (get_byte(entries, place + 2) << 8) + get_byte(entries, place + 3) < second;
    number := number - 1;
  END LOOP;
  RETURN CASE WHEN number > 0 AND second < 4294967295 THEN substr(entries, 1, number * {_BYTES}) || '\\x00' END;
END $$;
"""


_WITH_ALL = f"length(f.recent) + length(excluded.recent) <= {_MOST_RECENT * _BYTES}"
# A cut row without its mark, and the end that is put to it.
_WHOLE = "substr(f.recent, 1, length(f.recent) - 1) || e.recent"
_ADD = f"""
CREATE OR REPLACE FUNCTION assent_features_add() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  people uuid[];
  purposes text[];
  late_people uuid[];
  late_purposes text[];
BEGIN
  -- Rows are locked in the order of their keys, as by every other statement here. To a known row the new entries are
  -- appended, and it is cut where a late one belongs; a row that is new, or whose person did something before all that
  -- is recent, is open. What is cut or open is completed below.
  WITH kept AS (
    INSERT INTO personalization_onlinefeatures AS f (subject_ref, purpose, since, newest, recent)
    SELECT subject_ref, purpose, min(occurred_at), max(occurred_at),
      string_agg({_ENTRY}, ''::bytea ORDER BY occurred_at, id)
    FROM added GROUP BY subject_ref, purpose ORDER BY subject_ref, purpose
    ON CONFLICT (subject_ref, purpose) DO UPDATE SET
      since = least(f.since, excluded.since),
      newest = greatest(f.newest, excluded.newest),
      recent = CASE
        WHEN excluded.since < f.newest
          THEN assent_features_cut(f.recent, floor(extract(epoch FROM excluded.since))::bigint)
        WHEN {_WITH_ALL} THEN f.recent || excluded.recent
        ELSE assent_last_bytes(f.recent || excluded.recent, {_RECENT * _BYTES}) END,
      older = CASE WHEN excluded.since < f.newest OR {_WITH_ALL} THEN f.older
        ELSE assent_last_bytes(coalesce(f.older, '') || substr(f.recent || excluded.recent, 1,
          length(f.recent) + length(excluded.recent) - {_RECENT * _BYTES}), {(_ALL - _RECENT) * _BYTES}) END
    RETURNING f.subject_ref, f.purpose, f.recent IS NULL OR f.xmax = 0 AS is_open,
      length(f.recent) % {_BYTES} = 1 AS is_late
  )
  SELECT array_agg(subject_ref) FILTER (WHERE is_open), array_agg(purpose) FILTER (WHERE is_open),
    array_agg(subject_ref) FILTER (WHERE is_late), array_agg(purpose) FILTER (WHERE is_late)
  INTO people, purposes, late_people, late_purposes FROM kept;
  IF late_people IS NOT NULL THEN
    UPDATE personalization_onlinefeatures f SET
      recent = CASE WHEN length({_WHOLE}) <= {_MOST_RECENT * _BYTES} THEN {_WHOLE}
        ELSE assent_last_bytes({_WHOLE}, {_RECENT * _BYTES}) END,
      older = CASE WHEN length({_WHOLE}) <= {_MOST_RECENT * _BYTES} THEN f.older
        ELSE assent_last_bytes(coalesce(f.older, '') || substr({_WHOLE}, 1, length({_WHOLE}) - {_RECENT * _BYTES}),
          {(_ALL - _RECENT) * _BYTES}) END
    FROM (
      SELECT subject_ref, purpose, date_trunc('second', min(occurred_at)) AS second FROM added
      WHERE (subject_ref, purpose) IN (SELECT * FROM unnest(late_people, late_purposes)) GROUP BY 1, 2
    ) p, LATERAL (
      SELECT string_agg({_ENTRY}, ''::bytea ORDER BY occurred_at, id) AS recent FROM personalization_event
      WHERE subject_ref = p.subject_ref AND purpose = p.purpose AND occurred_at >= p.second
    ) e
    WHERE f.subject_ref = p.subject_ref AND f.purpose = p.purpose;
  END IF;
  IF people IS NOT NULL THEN
    PERFORM assent_features_make(people, purposes);
  END IF;
  RETURN NULL;
END $$;
"""
# As in migration 0023.
_ADD_BEFORE = f"""
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


class Migration(migrations.Migration):
    dependencies = [("personalization", "0023_fill_online_features")]
    operations = [
        migrations.RunSQL([_CUT, _ADD], [_ADD_BEFORE, "DROP FUNCTION assent_features_cut(bytea, bigint)"]),
    ]
