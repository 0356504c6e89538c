"""The audit trail of a person: what was recorded about them, and which officers looked, by role and not by name."""

from typing import Any
from uuid import UUID

from django.db.models import Case, F, QuerySet, Value, When
from django.utils.translation import gettext_noop as _

from audit.looks import LOOKS
from audit.models import AuditEvent
from privacy.rights.stores import proof
from privacy.rights.stores.seam import Description, Fate
from privacy.rights.stores.tables import TableStore, members

_MEMBERS = members(
    ("occurred_at", "date-time", _("when")),
    ("action", "string", _("what")),
    ("by", "string", _("by whom")),
    ("details", "object", _("details")),
)


def _events(ref: UUID) -> QuerySet[Any]:
    # An officer's name is the officer's data; the person reads the role.
    by = Case(When(actor__startswith="officer:", then=Value("officer")), default=F("actor"))
    return AuditEvent.objects.filter(object=str(ref)).annotate(by=by).order_by("position")


TRAIL = TableStore(
    Description(
        name="trail",
        title=_("What was recorded about you in the audit trail"),
        members=_MEMBERS,
        origin=_("made whenever something about you changed"),
        kept=_("as proof, with the choices it is about"),
        is_provided=False,
        tables=("audit_auditevent",),
        fate=Fate.KEPT,
        after=proof.CONSENT,
    ),
    lambda ref: _events(ref).exclude(action__in=LOOKS),
)
LOOKS_AT = TableStore(
    Description(
        name="looks",
        title=_("Who looked at your data"),
        members=_MEMBERS,
        origin=_("made whenever an officer looked at your data"),
        kept=_("as proof, with the audit trail"),
        is_provided=False,
        tables=("audit_auditevent",),
        fate=Fate.KEPT,
        after=proof.CONSENT,
    ),
    lambda ref: _events(ref).filter(action__in=LOOKS),
)
