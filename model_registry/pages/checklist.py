"""What a version needs and has, as tables of its page: gates, documents, and what happened to it."""

from django.urls import reverse
from django.utils.html import format_html

from audit.models import AuditEvent
from common.admin_pages.display import NOTHING, badge, grid, moment, who
from model_registry.documents.kinds import KINDS
from model_registry.gates import outcome
from model_registry.gates.checks import EXEMPT, FAILED, PASSED, PENDING
from model_registry.gates.outcome import Line
from model_registry.models import ModelVersion

_TONES = {PASSED: "good", EXEMPT: "plain", PENDING: "info", FAILED: "alarm"}
_WORDS = {PASSED: "Passed", EXEMPT: "Does not apply", PENDING: "Waiting", FAILED: "Missing"}
_MOST_STEPS = 50


def gates(version: ModelVersion) -> str:
    """Return the demanded gates with what was found: state, reason, owner, date, end."""
    found = outcome.of(version)
    rows = [
        (
            badge(_WORDS[line.finding.state], _TONES[line.finding.state]),
            line.title,
            line.finding.why,
            _by(line),
            moment(line.finding.until) if line.finding.until else NOTHING,
        )
        for line in found.lines
    ]
    return grid(["State", "Gate", "Evidence", "By", "Ends"], rows, is_stacked=True)


def _by(line: Line) -> str:
    """Return whose evidence it is, and from when."""
    finding = line.finding
    if finding.at is None:
        return NOTHING
    return format_html("<span>{} {}</span>", who(finding.owner) if finding.owner else "", moment(finding.at))


def documents(version: ModelVersion) -> str:
    """Return the documents of each kind with how complete they are; each leads to its page."""
    newest = {row.kind: row for row in version.documents.order_by("kind", "-revision").distinct("kind")}
    rows = []
    for kind, described in KINDS.items():
        row = newest.get(kind)
        link = format_html('<a href="{}">{}</a>', reverse("model-document", args=[version.pk, kind]), described.title)
        rows.append(
            (link, row.revision, f"{row.score} of 100", who(row.made_by), moment(row.made_at))
            if row
            else (link, "none", NOTHING, NOTHING, NOTHING)
        )
    return grid(["Document", "Revision", "Complete", "By", "Date"], rows, is_stacked=True)


def timeline(version: ModelVersion) -> str:
    """Return the steps of a version from the audit trail, newest first."""
    events = AuditEvent.objects.filter(object=str(version), action__regex=r"^model(_rollout)?\.").order_by("-position")
    rows = [(moment(event.occurred_at), _what(event), who(event.actor), _said(event)) for event in events[:_MOST_STEPS]]
    return grid(["When", "What", "By", "About"], rows, is_stacked=True)


def _what(event: AuditEvent) -> str:
    return event.action.removeprefix("model.").replace("model_", "").replace(".", " ").replace("_", " ").capitalize()


def _said(event: AuditEvent) -> str:
    details = event.details
    named = [str(details[name]) for name in ("kind", "name", "revision", "role") if name in details]
    change_set = details.get("set")
    return " ".join([*named, *([f"change set {change_set}"] if change_set else [])]) or NOTHING
