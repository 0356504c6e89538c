"""Looks of officers at a person's data, as that person reads them: when, what, and in which role. No names."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.looks import LOOKED_UP, TOKEN_REVEALED
from audit.models import AuditEvent
from governance.officers.roles import PREFIX

_SHOWN = 10
_READ = 100
_WHAT: dict[str, Promise] = {
    LOOKED_UP: _("%(who)s looked at your data."),
    "evidence.exported": _("%(who)s took a copy of your choices as evidence."),
    "receipt.exported": _("%(who)s took a copy of one of your receipts."),
    TOKEN_REVEALED: _("%(who)s opened a pseudonym that stands for you in a table given to others."),
}
_ROLES: dict[str, Promise] = {
    f"{PREFIX}privacy-officer": _("A privacy officer"),
    f"{PREFIX}request-handler": _("A request handler"),
    f"{PREFIX}token-custodian": _("A token custodian"),
    f"{PREFIX}auditor": _("An auditor"),
}
_OFFICER = _("An officer")


def looks_at(ref: UUID) -> list[dict[str, Any]]:
    """Return the newest looks, those of the same kind and role on one day as one."""
    events = AuditEvent.objects.filter(object=str(ref), action__in=_WHAT, actor__startswith="officer:")
    found: dict[tuple[Any, ...], datetime] = {}
    for event in events.order_by("-position")[:_READ]:
        found.setdefault((event.occurred_at.date(), _role(event.details), event.action), event.occurred_at)
    return [{"when": when, "what": _WHAT[what] % {"who": who}} for (_day, who, what), when in found.items()][:_SHOWN]


def _role(details: dict[str, Any]) -> Promise:
    held = details.get("groups", ())
    return next((name for group, name in _ROLES.items() if group in held), _OFFICER)
