"""Profiles: region and age band of people who have no permission in force any more. Anonymised, not deleted.

The row stays, as records name it. An age below adult stays too: without it a child could be taken for an adult.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.utils import timezone

from audit import trail
from common import actors
from consent.ledger import sealed_people
from privacy.retention.data_sets.extents import Extent
from privacy.retention.schedules import Action, Trigger, Way
from privacy.retention.tables import NOTE, NOTED, Batch, Deleted, Stored, Table, noted, one

_GIVEN = """
EXISTS (SELECT FROM jsonb_each(consents) c WHERE c.value->>'s' = 'given'
AND (c.value->>'x' IS NULL OR (c.value->>'x')::bigint > extract(epoch FROM statement_timestamp())))
"""
_WITHDRAWN = "EXISTS (SELECT FROM jsonb_each(consents) c WHERE c.value->>'s' IN ('withdrawn', 'objected'))"
_BLANKED = "region = '', age_band = CASE WHEN age_band = 'adult' THEN 'unknown' ELSE age_band END"


@dataclass(frozen=True, kw_only=True)
class Profiles(Table):
    """People's rows, whose region and adult age band are blanked, with an audit event each."""

    def delete_batch(self, extent: Extent, batch: Batch, *, keep: bool) -> Deleted:
        """Blank a range, note the keys and record what is now known of each person."""
        where, values = self._range(extent, batch.start, batch.end)
        rows, bands = one(
            f"WITH gone AS (UPDATE {self.table} SET {_BLANKED}"  # noqa: S608
            f" WHERE {where} AND NOT {self.is_kept(extent)} RETURNING ref, age_band),"
            f" noted AS ({NOTE} SELECT {NOTED}, count(*), coalesce(string_agg({self.key_digest}, ''::bytea), '')"
            " FROM gone HAVING count(*) > 0 OR %(reached)s::timestamptz IS NOT NULL RETURNING rows)"
            " SELECT coalesce((SELECT rows FROM noted), 0), (SELECT jsonb_object_agg(ref, age_band) FROM gone)",
            values | noted(self.name, batch),
        )
        _record(bands or {})
        return Deleted(rows, None)

    def stored(self, subject_ref: UUID) -> list[Stored]:
        """Return the person's row as one entry of no purpose, where it says a region or an age."""
        found = one(
            f"SELECT {self.age} FROM {self.table} WHERE ref = %(ref)s AND (region <> '' OR age_band <> 'unknown')",  # noqa: S608
            {"ref": subject_ref},
        )
        return [Stored("", "", 1, found[0], found[0])] if found else []


def _record(bands: dict[str, str]) -> None:
    """Record each person's profile as it is now: the audit trail proves what stands in the row."""
    actor, now = actors.job("disposal"), timezone.now()
    with connection.cursor() as cursor:
        trail.copy_events(
            cursor,
            (
                trail.prepare("person.anonymised", ref, actor=actor, at=now, details=sealed_people.member("", band))
                for ref, band in bands.items()
            ),
        )


PROFILES = Profiles(
    name="profiles",
    table="consent_datasubject",
    deletes=False,
    purpose="",
    person="ref",
    age="updated_at",
    key="ref",
    key_digest="substring(sha256(uuid_send(ref)) FOR 16)",
    only=f"(region <> '' OR age_band = 'adult') AND NOT {_GIVEN}",
    ended=_WITHDRAWN,
)
WAYS: dict[Way, Table] = {
    (Trigger.WITHDRAWAL, Action.ANONYMISE): PROFILES,
    (Trigger.ACTIVITY, Action.ANONYMISE): PROFILES,
}
REFUSALS: dict[str, str] = {
    Action.DELETE: "Records of consent name a person's row, so it is anonymised and not deleted.",
    Action.AGGREGATE: "A profile is one row a person: there is nothing to count. Choose to anonymise it.",
    Action.KEEP: "A law names entries, and a profile has none.",
    Trigger.RECEIVED: "A profile is renewed by every choice. Count from the last activity or the last withdrawal.",
    Trigger.CONTRACT: "A profile belongs to no contract. Count from the last activity or the last withdrawal.",
    Trigger.WINDOW: "A profile is one row a person: there is no window of entries.",
}
