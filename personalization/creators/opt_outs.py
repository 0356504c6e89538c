"""Opt-out of creators: taken, taken back, and read with each request, so that it counts for the very next one.

The trail names a creator by a pseudonym: a creator may be a person, and the trail is for ever.
"""

from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from audit import trail
from consent.pseudonyms import subject_ref
from personalization.creators.models import CreatorOptOut

OFFERED: Final = "i.is_active AND NOT EXISTS (SELECT FROM personalization_creatoroptout o WHERE o.creator = i.creator)"
"""Condition that an item ``i`` of a statement is recommended at all: on offer, and of no creator who opted out."""


@transaction.atomic
def set_recommended(creator: str, *, recommended: bool, actor: str) -> CreatorOptOut | None:
    """Take a creator's opt-out, or take it back; return the one that stands. What stands already is no event."""
    if recommended:
        changed = CreatorOptOut.objects.filter(pk=creator).delete()[0] > 0
        row = None
    else:
        row, changed = CreatorOptOut.objects.get_or_create(creator=creator)
    if changed:
        action = "creator.opted_in" if recommended else "creator.opted_out"
        trail.record(action, f"creator:{subject_ref(f'creator:{creator}')}", actor=actor)
    return row


def is_out(creator: str = "creator") -> Exists:
    """Return the condition that the creator, at a path of the row asked for, has opted out."""
    return Exists(CreatorOptOut.objects.filter(pk=OuterRef(creator)))
