"""One row a person and purpose with the latest events as serving reads them, kept by triggers on the events."""

from django.db import migrations, models

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
_FUNCTIONS = f"""
ALTER TABLE personalization_onlinefeatures SET (fillfactor = 50);
ALTER TABLE personalization_onlinefeatures ALTER recent SET STORAGE EXTERNAL, ALTER older SET STORAGE EXTERNAL;

CREATE FUNCTION assent_last_bytes(whole bytea, number integer) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT substr(whole, greatest(length(whole) - number, 0) + 1) $$;

CREATE FUNCTION assent_features_add() RETURNS trigger LANGUAGE plpgsql AS $$
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
  IF people IS NULL THEN
    RETURN NULL;
  END IF;
  -- What a deletion under way has deleted is still visible here, so nothing is made of it: the row stays open, and who
  -- reads it reads the events. To wait for the deletion could be for ever, as it may wait for these rows.
  IF NOT pg_try_advisory_xact_lock({_LOCK}) THEN
    UPDATE personalization_onlinefeatures f SET recent = NULL, older = NULL
    FROM unnest(people, purposes) p (ref, purpose) WHERE f.subject_ref = p.ref AND f.purpose = p.purpose;
    RETURN NULL;
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
  RETURN NULL;
END $$;

CREATE FUNCTION assent_features_before_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared({_LOCK});
  RETURN NULL;
END $$;

CREATE FUNCTION assent_features_remove() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM personalization_onlinefeatures f
  JOIN (SELECT DISTINCT subject_ref, purpose FROM gone) g USING (subject_ref, purpose)
  ORDER BY f.subject_ref, f.purpose FOR UPDATE OF f;
  IF FOUND THEN
    DELETE FROM personalization_onlinefeatures f USING (SELECT DISTINCT subject_ref, purpose FROM gone) g
    WHERE f.subject_ref = g.subject_ref AND f.purpose = g.purpose;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER personalization_event_features_add AFTER INSERT ON personalization_event
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION assent_features_add();
CREATE TRIGGER personalization_event_features_before BEFORE DELETE OR UPDATE ON personalization_event
  FOR EACH STATEMENT EXECUTE FUNCTION assent_features_before_removal();
CREATE TRIGGER personalization_event_features_remove AFTER DELETE ON personalization_event
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION assent_features_remove();
CREATE TRIGGER personalization_event_features_changed AFTER UPDATE ON personalization_event
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION assent_features_remove();
CREATE TRIGGER personalization_event_features_become AFTER UPDATE ON personalization_event
  REFERENCING NEW TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION assent_features_remove();
"""
_BACK = """
DROP TRIGGER personalization_event_features_add ON personalization_event;
DROP TRIGGER personalization_event_features_before ON personalization_event;
DROP TRIGGER personalization_event_features_remove ON personalization_event;
DROP TRIGGER personalization_event_features_changed ON personalization_event;
DROP TRIGGER personalization_event_features_become ON personalization_event;
DROP FUNCTION assent_features_add();
DROP FUNCTION assent_features_before_removal();
DROP FUNCTION assent_features_remove();
DROP FUNCTION assent_last_bytes(bytea, integer);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("personalization", "0017_catalogue_revision"),
    ]

    operations = [
        migrations.CreateModel(
            name="OnlineFeatures",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "subject_ref", "purpose", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject_ref", models.UUIDField()),
                ("purpose", models.CharField(max_length=64)),
                ("since", models.DateTimeField()),
                ("newest", models.DateTimeField()),
                ("recent", models.BinaryField(null=True)),
                ("older", models.BinaryField(null=True)),
            ],
        ),
        migrations.RunSQL(_FUNCTIONS, _BACK),
    ]
