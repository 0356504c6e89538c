"""Members of holds and restrictions, and what people's rows say of them, held against the trail."""

from django.db import connection

from audit.models import AuditEvent
from privacy.holds import members
from privacy.models import Hold, Restriction

_PEOPLE = f"""
SELECT coalesce(s.ref, w.ref)::text FROM ({members.PROJECTED}) w
FULL JOIN (SELECT * FROM consent_datasubject WHERE held OR restricted OR limits <> '{{}}') s ON s.ref = w.ref
WHERE (s.held, s.restricted, s.limits) IS DISTINCT FROM (w.held, w.restricted, w.limits) LIMIT 1
"""  # noqa: S608 (constants of this module)


def broken() -> str | None:
    """Name a hold, a restriction or a person that is not as the trail says."""
    return next((found for model in (Hold, Restriction) if (found := _lost_member(model))), None) or _changed_person()


def _lost_member(model: type[Hold] | type[Restriction]) -> str | None:
    kind = model.__name__.lower()
    events = AuditEvent.objects.filter(action=members.EVENT, details__kind=kind).order_by("position")
    said = dict(events.values_list("object", "details__digest"))
    for limit in model.objects.order_by("pk"):
        if members.state_of(limit)[1] != said.get(limit.slug):
            return f"the people under {kind} {limit.slug} are not those of the audit trail"
    return None


def _changed_person() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE)
        found = cursor.fetchone()
    return f"person {found[0]} is not held or restricted as the audit trail says" if found else None
