"""The list of the audit log for officers: filters, folded events, the way on, and the downloads."""

from typing import Any

from django.urls import reverse
from django.utils import timezone

from audit.log.filters import ANY_OFFICER, PAGE, Filter, events, known_actions, known_actors
from audit.log.folding import fold
from audit.log.wording import TONES, kind_in_words, kind_of, said_changes
from audit.models import AuditEvent
from common.admin_pages.display import badge, moment, sentence, short, who
from common.admin_pages.filters import SPANS

LIST = "admin/audit_log.html"
EXPORTS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
_LISTED = 20


def log_page(chosen: Filter) -> dict[str, Any]:
    """Return the context of the page. One event more than it shows is read, and none is counted."""
    found = list(events(chosen)[: PAGE + 1])
    shown = found[:PAGE]
    return {
        **_form(chosen),
        "groups": [_group(group, chosen) for group in fold(shown)],
        "older": chosen.query(before=str(shown[-1].code)) if len(found) > PAGE else "",
        "newest": chosen.query(before="") if chosen.before else None,
        "exports": [(kind, f"{_url(kind)}?{chosen.query(before='')}") for kind in EXPORTS],
    }


def bad_page(refusal: str) -> dict[str, Any]:
    """Return the context that says why a filter cannot be read; nothing is shown as if it had been."""
    return {**_form(Filter()), "refusal": refusal, "groups": []}


def _form(chosen: Filter) -> dict[str, Any]:
    kinds = sorted({kind_of(action) for action in known_actions()}, key=kind_in_words)
    return {
        "chosen": chosen,
        "zone": chosen.zone or timezone.get_current_timezone_name(),
        "days": chosen.days(),
        "any_officer": ANY_OFFICER,
        "kinds": [(kind, kind_in_words(kind)) for kind in kinds],
        "actors": sorted(((actor, who(actor)) for actor in known_actors()), key=lambda pair: pair[1].lower()),
        "spans": [(span, label) for span, (label, _length) in SPANS.items()],
    }


def _url(kind: str) -> str:
    return reverse("admin:audit_auditevent_export", args=[kind])


def _group(group: Any, chosen: Filter) -> dict[str, Any]:
    events_of = group.events
    return {
        **_line(group.newest, chosen),
        "count": len(events_of),
        "objects": group.objects,
        "until": moment(group.oldest.occurred_at),
        "members": [_line(event, chosen) for event in events_of[:_LISTED]] if len(events_of) > 1 else [],
        "more": max(len(events_of) - _LISTED, 0),
    }


def _line(event: AuditEvent, chosen: Filter) -> dict[str, Any]:
    return {
        "number": event.position,
        "url": reverse("admin:audit_auditevent_change", args=[event.position]),
        "when": moment(event.occurred_at),
        "day": chosen.day_of(event.occurred_at),
        "exact": timezone.localtime(event.occurred_at),
        "what": badge(sentence(event.action), TONES.get(event.action, "plain")),
        "by": who(event.actor),
        "by_url": chosen.query(actor=event.actor, before=""),
        "about": short(event.object, keep=32, href=f"?{Filter(object=event.object).query()}"),
        "changes": said_changes(event),
    }
