"""People under a hold or a restriction: found, written, taken out again, and shown in their own rows.

``privacy_holdmember`` is what deletions leave out. ``held``, ``restricted`` and ``limits`` of the person follow from
it; they are what a decision reads. Both are written in the transaction that changes the hold, in turns with deletions.
"""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit import trail
from common import actors
from consent.ledger import holds
from consent.models import Purpose
from privacy.models import Hold, HoldMember, Restriction

_EVERY = [""]
_FOUND = """
SELECT ref FROM consent_datasubject s
WHERE (%(regions)s::text[] IS NULL OR s.region = ANY (%(regions)s))
  AND (%(age_bands)s::text[] IS NULL OR s.age_band = ANY (%(age_bands)s))
  AND (%(chose_about)s::text[] IS NULL OR EXISTS (
    SELECT 1 FROM jsonb_object_keys(s.consents) AS place WHERE split_part(place, '?', 1) = ANY (%(chose_about)s)))
"""
_ADD = """
INSERT INTO privacy_holdmember (hold_id, restriction_id, ref, purpose, data_set, added_at)
SELECT %(hold)s, %(restriction)s, people.ref, purpose, data_set, now()
FROM (SELECT unnest(%(people)s::uuid[]) AS ref{found}) AS people,
  unnest(%(purposes)s::text[]) AS purpose, unnest(%(data_sets)s::text[]) AS data_set
ON CONFLICT DO NOTHING
"""
# A row for whom the register does not know yet: their first choice finds it, and with it the hold.
_MAKE_KNOWN = """
INSERT INTO consent_datasubject (ref, region, age_band, revision, consents, restricted, held, created_at, updated_at)
SELECT DISTINCT ref, '', 'unknown', 0, '{}'::jsonb, false, false, now(), now() FROM privacy_holdmember m
WHERE (hold_id = %(hold)s OR restriction_id = %(restriction)s)
  AND NOT EXISTS (SELECT FROM consent_datasubject s WHERE s.ref = m.ref)
ON CONFLICT DO NOTHING
"""
# What the people's rows say, by the members.
PROJECTED = """
SELECT ref,
  bool_or(purpose = '' AND word = 'held') AS held, bool_or(purpose = '' AND word = 'restricted') AS restricted,
  coalesce(jsonb_object_agg(purpose, words) FILTER (WHERE purpose <> ''), '{}') AS limits
FROM (
  SELECT ref, purpose, jsonb_agg(DISTINCT word) AS words, unnest(array_agg(DISTINCT word)) AS word
  FROM (SELECT ref, purpose, CASE WHEN hold_id IS NULL THEN 'restricted' ELSE 'held' END AS word
        FROM privacy_holdmember) AS member
  GROUP BY ref, purpose
) AS said GROUP BY ref
"""
_PROJECT = f"""
WITH wanted AS ({PROJECTED})
UPDATE consent_datasubject s
SET held = coalesce(w.held, false), restricted = coalesce(w.restricted, false), limits = coalesce(w.limits, '{{}}')
FROM consent_datasubject o LEFT JOIN wanted w ON w.ref = o.ref
WHERE o.ref = s.ref AND (w.ref IS NOT NULL OR s.held OR s.restricted OR s.limits <> '{{}}')
  AND (s.held, s.restricted, s.limits)
    IS DISTINCT FROM (coalesce(w.held, false), coalesce(w.restricted, false), coalesce(w.limits, '{{}}'))
"""  # noqa: S608 (constants of this module)
_DIGEST = """
SELECT count(DISTINCT ref),
  encode(sha256(coalesce(string_agg(
    uuid_send(ref) || convert_to(purpose || ' ' || data_set || ';', 'UTF8'), ''::bytea ORDER BY ref, purpose, data_set
  ), ''::bytea)), 'hex')
FROM privacy_holdmember WHERE hold_id = %(hold)s OR restriction_id = %(restriction)s
"""
EVENT = "hold.members"


def write(limit: Hold | Restriction, *, keeps: Iterable[Any] = ()) -> None:
    """Write the members of a hold or restriction anew: the people named and found now, and those in ``keeps``.

    The caller's transaction has saved it.
    """
    holds.take_turn()
    of(limit).delete()
    if limit.is_in_force:
        _add(limit, [*limit.people, *keeps])
    _finish(limit)


def extend(limit: Hold | Restriction) -> None:
    """Add who is found now; nobody leaves a hold in force."""
    holds.take_turn()
    if limit.is_in_force and _add(limit, limit.people):
        _finish(limit)


def refresh(*, queries: bool) -> int:
    """Begin and end what is due; with ``queries``, also add who is found now. Return how many holds were looked at."""
    now, looked_at = timezone.now(), 0
    for model in (Hold, Restriction):
        over = Q(members__isnull=False) & (Q(is_released=True) | Q(ends_at__lte=now))
        in_force = Q(is_released=False, starts_at__lte=now) & (Q(ends_at=None) | Q(ends_at__gt=now))
        due = over | (in_force if queries else in_force & Q(members=None))
        for key in list(model.objects.filter(due).order_by("pk").values_list("pk", flat=True).distinct()):
            _settle(model, key)
            looked_at += 1
    return looked_at


@transaction.atomic
def _settle(model: type[Hold] | type[Restriction], key: int) -> None:
    limit = model.objects.select_for_update(no_key=True).get(pk=key)
    if limit.is_in_force:
        extend(limit)
    else:
        write(limit)


def of(limit: Hold | Restriction) -> QuerySet[HoldMember]:
    """Return the members of a hold or restriction."""
    return HoldMember.objects.filter(**{type(limit).__name__.lower(): limit})


def state_of(limit: Hold | Restriction) -> tuple[int, str]:
    """Return how many people it keeps, and the digest of who they are and for what."""
    with connection.cursor() as cursor:
        cursor.execute(_DIGEST, _ids(limit))
        people, digest = cursor.fetchone()
    return int(people), str(digest)


def _ids(limit: Hold | Restriction) -> dict[str, int | None]:
    is_hold = isinstance(limit, Hold)
    return {"hold": limit.pk if is_hold else None, "restriction": None if is_hold else limit.pk}


def _add(limit: Hold | Restriction, people: Collection[Any]) -> int:
    query = limit.query if isinstance(limit, Hold) else {}
    values = {
        **_ids(limit),
        "people": [str(ref) for ref in people],
        "purposes": _with_narrower(limit.purposes) or _EVERY,
        "data_sets": (limit.data_sets if isinstance(limit, Hold) else []) or _EVERY,
        **{name: query.get(name) for name in ("regions", "age_bands", "chose_about")},
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD.format(found=f" UNION {_FOUND}" if query else ""), values)
        added = int(cursor.rowcount)
        cursor.execute(_MAKE_KNOWN, values)
    return added


def _with_narrower(purposes: Collection[str]) -> list[str]:
    """Return purposes and the narrower ones under them: a hold of a purpose keeps what is done for its parts."""
    parents = dict(Purpose.objects.values_list("slug", "parent__slug"))
    found = set(purposes)
    while more := {slug for slug, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def _finish(limit: Hold | Restriction) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PROJECT)
    people, digest = state_of(limit)
    details = {"kind": type(limit).__name__.lower(), "people": people, "digest": digest}
    trail.record(EVENT, limit.slug, actor=actors.job("holds"), details=details)
