"""Many people, decisions and events at once, made by the database itself: for tests of what large numbers cost."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from policies.decision_log import drainer

# A choice of each purpose for most people: five of six answered, three of five of them with yes.
_PEOPLE = """
INSERT INTO consent_datasubject
  (ref, region, age_band, revision, consents, restricted, held, limits, created_at, updated_at)
SELECT md5('person' || n)::uuid, (ARRAY['DE', 'FR', 'ES', 'IT', 'NL', 'GB'])[1 + n %% 6], 'adult', 1,
  (SELECT coalesce(jsonb_object_agg(slug, jsonb_build_object(
      's', (ARRAY['given', 'given', 'given', 'refused', 'withdrawn'])[1 + (n / place) %% 5], 'n', 1 + n %% %(versions)s,
      'x', 4000000000, 'e', n %% 2 = 0, 'r', md5(slug || n)::uuid, 't', 1767225600, 'src', 'banner')), '{}'::jsonb)
   FROM unnest(%(purposes)s::text[]) WITH ORDINALITY AS p(slug, place) WHERE (n + place) %% 6 <> 0),
  false, false, '{}', now(), now()
FROM generate_series(%(first)s, %(first)s + %(count)s - 1) AS n
"""
_EVENTS = """
INSERT INTO personalization_event (id, subject_ref, purpose, kind, item_id, weight, occurred_at, received_at)
SELECT md5('event' || n)::uuid, md5('person' || 1 + n %% 100000)::uuid, %(purpose)s, 'like', %(item)s, 1, at, at
FROM generate_series(1, %(count)s) AS n, LATERAL (SELECT now() - n * interval '300 days' / %(count)s AS at) AS moment
"""
# One time in 997 what is rare: another caller, another purpose, an outcome or a reason that hardly occurs.
_DECISIONS = """
INSERT INTO policies_decision (id, decided_at, batch_id, position, subject_tag, caller, action, purpose, outcome, level,
  reasons, bundle_revision, entry)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7000' || lpad(to_hex(n), 16, '8'))::uuid, at,
  %(batch)s, n, decode(md5((n %% 100000)::text), 'hex'), caller, action, purpose, outcome, level, reasons, revision,
  jsonb_build_object('id', n, 'at_us', (extract(epoch FROM at) * 1000000)::bigint, 'duration_us', 200 + n %% 1000,
    'outcome', outcome, 'level', level, 'facts', jsonb_build_object('action', action, 'purpose', purpose,
      'signals', jsonb_build_object('gpc', n %% 10 = 0), 'subject', jsonb_build_object('jurisdiction', 'eu-gdpr')),
    'padding', repeat('x', 1000))::text
FROM generate_series(1, %(count)s) AS n,
  LATERAL (SELECT %(start)s::timestamptz + n * (%(length)s::interval / %(count)s) AS at, n %% 997 = 0 AS is_rare) AS m,
  LATERAL (SELECT CASE WHEN is_rare THEN 'service:rare' ELSE 'service:shop' END AS caller,
    CASE WHEN is_rare THEN 'train' ELSE 'personalize' END AS action,
    CASE WHEN is_rare THEN 'newsletter' ELSE 'recommendations' END AS purpose,
    CASE WHEN is_rare THEN 'unknown' WHEN n %% 3 = 0 THEN 'deny' ELSE 'permit' END AS outcome,
    CASE WHEN n %% 3 = 0 THEN 'none' ELSE 'individual' END AS level,
    CASE WHEN is_rare THEN ARRAY['engine_unavailable'] WHEN n %% 3 = 0 THEN ARRAY['consent_withdrawn']
      ELSE '{}'::text[] END AS reasons, %(revision)s AS revision) AS columns
"""


_AUDIT = """
INSERT INTO audit_auditevent (code, occurred_at, action, actor, object, details, digest)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
    || substr(md5(n::text), 4, 15))::uuid, at,
  CASE WHEN n %% 997 = 0 THEN 'party.changed' ELSE 'consent.given' END,
  CASE WHEN n %% 991 = 0 THEN 'officer:rare' ELSE 'service:shop' END,
  CASE WHEN n %% 997 = 0 THEN 'party rare-' || n ELSE gen_random_uuid()::text END, '{}', '\\x00'
FROM generate_series(1, %(count)s) AS n, LATERAL (SELECT now() - n * interval '300 days' / %(count)s AS at) AS moment
"""


def add_people(count: int, *purposes: str, versions: int = 1, first: int = 1) -> None:
    """Add people, numbered from ``first``, with choices about purposes, of as many notice versions in turn."""
    _run(_PEOPLE, {"count": count, "purposes": list(purposes), "versions": versions, "first": first})
    _analyse("consent_datasubject")


def add_events(count: int, *, purpose: str, item: int) -> None:
    """Add events of the last 300 days."""
    _run(_EVENTS, {"count": count, "purpose": purpose, "item": item})
    _analyse("personalization_event")


def add_audit_events(count: int) -> None:
    """Add audit events of the last 300 days; one in about a thousand is of an officer, or about a party."""
    _run(_AUDIT, {"count": count})
    _analyse("audit_auditevent")


def add_decisions(count: int, *, days: int, revision: str = "", batch: int = 0) -> None:
    """Add decisions of the last days; one in 997 is of a caller, purpose, action, outcome and reason that are rare."""
    until = timezone.now()
    start = until - timedelta(days=days)
    for number in range(days + 1):
        drainer.ensure_partition(f"{start + timedelta(days=number):%Y-%m-%d}")
    _run(
        _DECISIONS,
        {"count": count, "start": start, "length": timedelta(days=days), "revision": revision, "batch": batch},
    )
    _analyse("policies_decision")


def _run(statement: str, values: dict[str, object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _analyse(table: str) -> None:
    """Let the planner know the rows; outside a transaction also what autovacuum would see to in a moment."""
    _run(f"ANALYZE {table}" if connection.in_atomic_block else f"VACUUM ANALYZE {table}", {})
