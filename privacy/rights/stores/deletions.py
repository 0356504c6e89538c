"""Deletions that followed a person's withdrawals. An erasure leaves them as proof, under a number that names no one."""

from django.utils.translation import gettext_noop as _

from privacy.models import ContractEnd, Disposal
from privacy.rights.stores.seam import Description, Fate
from privacy.rights.stores.tables import TableStore, members

DELETIONS = TableStore(
    Description(
        name="deletions",
        title=_("Deletions of your data"),
        members=members(
            ("id", "string", _("deletion")),
            ("reason", "string", _("why")),
            ("purpose_id", "integer", _("purpose")),
            ("removed", "object", _("rows removed by store")),
            ("queued_at", "date-time", _("asked for")),
            ("finished_at", "date-time", _("done")),
        ),
        origin=_("made when you turned something off, or a retention period ended"),
        kept=_("as proof of the deletion"),
        is_provided=False,
        tables=("privacy_disposal",),
        fate=Fate.ANONYMISED,
    ),
    lambda ref: Disposal.objects.filter(subject_ref=ref).order_by("queued_at"),
    names="subject_ref",
)
CONTRACTS = TableStore(
    Description(
        name="contracts",
        title=_("End of your contract"),
        members=members(("ended_at", "date-time", _("ended"))),
        origin=_("from the systems of the business"),
        kept=_("until the data has gone whose time counts from it"),
        is_provided=False,
        tables=("privacy_contractend",),
    ),
    lambda ref: ContractEnd.objects.filter(subject_ref=ref).order_by("ended_at"),
)
