"""Deletions that followed a person's withdrawals. An erasure leaves them as proof, under a number that names no one."""

from django.utils.translation import gettext_noop

from privacy.models import Disposal
from privacy.rights.stores.seam import Description, Fate
from privacy.rights.stores.tables import TableStore, members

DELETIONS = TableStore(
    Description(
        name="deletions",
        title=gettext_noop("Deletions of your data"),
        members=members(
            ("id", "string", "deletion"),
            ("reason", "string", "why"),
            ("purpose_id", "integer", "purpose"),
            ("removed", "object", "rows removed by store"),
            ("queued_at", "date-time", "asked for"),
            ("finished_at", "date-time", "done"),
        ),
        origin="made when you turned something off, or a retention period ended",
        kept="as proof of the deletion",
        is_provided=False,
        tables=("privacy_disposal",),
        fate=Fate.ANONYMISED,
    ),
    lambda ref: Disposal.objects.filter(subject_ref=ref).order_by("queued_at"),
    names="subject_ref",
)
