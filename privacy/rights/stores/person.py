"""What is known of a person: the one row that decisions read. An erasure blanks it and leaves the pseudonym."""

from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_noop as _

from consent.ledger.persons import erasing
from consent.models import DataSubject
from privacy.rights.stores.seam import Description, Erasure, Fate, Removed
from privacy.rights.stores.tables import TableStore, members


class PersonStore(TableStore):
    """Store of the person's row. Emptied where an erasure blanked it, also if the person agreed anew since."""

    def anonymise(self, ref: UUID, erasure: Erasure) -> Removed:
        done = erasing.erase(ref, actor=erasure.actor, erasure=str(erasure.id))
        return Removed(int(done.is_new), also={"ended": done.ended})

    def left(self, ref: UUID) -> QuerySet[Any]:
        is_blank = Q(consents={}, region="", age_band="unknown", gpc_since=None)
        never, still = Q(erased_revision=None), Q(erased_revision=F("revision"))
        return self.query(ref).filter(never | still & ~is_blank)


PERSON = PersonStore(
    Description(
        name="person",
        title=_("What is known about you"),
        members=members(
            ("ref", "string", _("pseudonym")),
            ("region", "string", _("region of residence")),
            ("age_band", "string", _("age group")),
            ("restricted", "boolean", _("use restricted")),
            ("held", "boolean", _("kept for a claim")),
            ("limits", "object", _("the same for single purposes")),
            ("gpc_since", "date-time", _("opted out by signal since")),
            ("erased_at", "date-time", _("erased")),
            ("created_at", "date-time", _("first seen")),
            ("updated_at", "date-time", _("last changed")),
        ),
        origin=_("from you, or from the service you use"),
        kept=_("while a choice of yours is in force, and for the proof of it"),
        is_provided=True,
        tables=("consent_datasubject",),
        fate=Fate.ANONYMISED,
    ),
    lambda ref: DataSubject.objects.filter(ref=ref),
)
