"""What happened to a version, newest first: its steps in the trail, and the steps of its change sets."""

from datetime import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html

from audit.models import AuditEvent
from common.admin_pages.display import NOTHING, grid, moment, sentence, who
from model_registry.models import ModelVersion
from oversight.models import Change, ChangeSet, Step

_MOST_STEPS = 50
_Row = tuple[datetime, str, str, str]


def drawn(version: ModelVersion) -> str:
    """Return the newest steps as a table; three statements for any number of steps."""
    steps = sorted([*_of_trail(version), *_of_sets(version)], key=lambda row: row[0], reverse=True)[:_MOST_STEPS]
    rows = [(moment(at), what, who(actor), about) for at, what, actor, about in steps]
    return grid(["When", "What", "By", "About"], rows)


def _of_trail(version: ModelVersion) -> list[_Row]:
    events = AuditEvent.objects.filter(object=str(version), action__regex=r"^model(_rollout)?\.").order_by("-position")
    return [
        (event.occurred_at, sentence(event.action.removeprefix("model.")), event.actor, _said(event))
        for event in events[:_MOST_STEPS]
    ]


def _said(event: AuditEvent) -> str:
    details = event.details
    named = [str(details[name]) for name in ("kind", "name", "revision", "role") if name in details]
    change_set = details.get("set")
    if change_set:
        named.append(_set_link(change_set, f"change set {change_set}"))
    return format_html(" ".join("{}" for _ in named), *named) if named else NOTHING


def _of_sets(version: ModelVersion) -> list[_Row]:
    key = f"{version.model.slug}/{version.version}"
    about = Q(register__in=("model_status", "model_permissions"), key=key)
    exempting = Q(register="gate_exemption", key__startswith=f"{key}/")
    changes = Change.objects.filter(about | exempting).select_related("set").order_by("-set_id")[:_MOST_STEPS]
    titles = {str(change.set_id): change.set.title for change in changes}
    steps = Step.objects.filter(subject=ChangeSet.SUBJECT, object__in=list(titles)).order_by("-at")
    return [
        (step.at, sentence(f"change set {step.kind}"), step.actor, _noted(step, titles[step.object]))
        for step in steps[:_MOST_STEPS]
    ]


def _noted(step: Step, title: str) -> str:
    link = _set_link(step.object, title)
    return format_html("{}: “{}”", link, step.note) if step.note else link


def _set_link(change_set: object, words: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse("change-set", args=[change_set]), words)
