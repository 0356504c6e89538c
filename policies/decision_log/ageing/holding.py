"""People under a hold or a restriction, and their decisions in the log.

The log names people by pseudonyms of a month. While the month's key is kept, a person's pseudonym is computed from it;
before the key goes, the pseudonyms of the people under a hold are noted, until their hold ends. Whom a hold names
after that can no longer be found in that month by anyone, and neither can the hold find them.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from policies.decision_log import pseudonyms
from policies.models import HeldTag, PeriodKey
from privacy.models import HoldMember

DATA_SET = "decisions"
_KEPT = """
SELECT d.id, d.batch_id, d.position FROM {table} d
JOIN (SELECT * FROM unnest(%(tags)s::bytea[], %(purposes)s::text[])) AS held(tag, purpose)
  ON d.subject_tag = held.tag AND (held.purpose = '' OR held.purpose = d.purpose)
"""


def _members() -> Iterable[tuple[UUID, str]]:
    members = HoldMember.objects.filter(data_set__in=("", DATA_SET))
    return members.values_list("ref", "purpose").distinct()


def kept_in(table: str) -> dict[UUID, tuple[int, int]]:
    """Return the decisions in a table that a hold keeps: identifiers, with batch and position."""
    noted: dict[UUID, list[bytes]] = {}
    for held in HeldTag.objects.all():
        noted.setdefault(held.ref, []).append(bytes(held.tag))
    wanted = [
        (tag, purpose)
        for ref, purpose in _members()
        for tag in {*noted.get(ref, []), *pseudonyms.tags_of(ref)}
    ]  # fmt: skip
    if not wanted:
        return {}
    values: dict[str, Any] = {"tags": [tag for tag, _ in wanted], "purposes": [purpose for _, purpose in wanted]}
    with connection.cursor() as cursor:
        cursor.execute(_KEPT.format(table=table), values)
        return {identifier: (batch, position) for identifier, batch, position in cursor}


def note_tags(keys: Iterable[PeriodKey]) -> None:
    """Note the pseudonyms of the people under a hold in months whose keys go; forget those of ended holds."""
    in_force = HoldMember.objects.filter(Q(ref=OuterRef("ref")), data_set__in=("", DATA_SET))
    HeldTag.objects.filter(~Exists(in_force)).delete()
    people = {ref for ref, _ in _members()}
    HeldTag.objects.bulk_create(
        (
            HeldTag(ref=ref, period=key.period, tag=pseudonyms.tag_under(bytes(key.key), ref))
            for key in keys
            for ref in people
        ),
        ignore_conflicts=True,
        batch_size=1_000,
    )
