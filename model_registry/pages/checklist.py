"""What a version needs and has, as tables of its page: gates, and documents with their reviews."""

from textwrap import shorten

from django.urls import reverse
from django.utils.html import format_html, format_html_join

from common.admin_pages.display import NOTHING, badge, grid, moment, who
from model_registry.documents.kinds import KINDS
from model_registry.gates import outcome
from model_registry.gates.checks import GATES, Stage
from model_registry.gates.findings import EXEMPT, FAILED, NOT_YET, PASSED, PENDING
from model_registry.gates.outcome import Line, Outcome
from model_registry.models import DocumentReview, ModelVersion
from model_registry.pages import mending

_TONES = {PASSED: "good", EXEMPT: "plain", NOT_YET: "plain", PENDING: "info", FAILED: "alarm"}
_WORDS = {
    PASSED: "Passed", EXEMPT: "Does not apply", NOT_YET: "Not yet", PENDING: "Waiting", FAILED: "Missing",
}  # fmt: skip
_LONGEST_COMMENT = 120


def gates(version: ModelVersion) -> str:
    """Return the checklist of each stage: the demanded gates with what was found, and which are not demanded."""
    found = outcome.of(version)
    sections = ((stage.heading, _checklist(version, found.of_stage(stage)), _others(found, stage)) for stage in Stage)
    return format_html_join("", '<section><h3>{}</h3>{}<p class="start-muted">{}</p></section>', sections)


def _checklist(version: ModelVersion, lines: list[Line]) -> str:
    rows = [
        (
            badge(_WORDS[line.finding.state], _TONES[line.finding.state]),
            line.title,
            line.finding.why,
            _by(line),
            moment(line.finding.until) if line.finding.until else NOTHING,
            mending.link(version, line),
        )
        for line in lines
    ]
    return grid(["State", "Gate", "Evidence", "By", "Ends", "Mend"], rows) if rows else ""


def _others(found: Outcome, stage: Stage) -> str:
    """Say which gates of a stage the register does not demand of the version."""
    demanded = {line.slug for line in found.lines}
    titles = [gate.title for slug, gate in GATES.items() if gate.stage == stage and slug not in demanded]
    return f"Not demanded of this version: {', '.join(titles)}." if titles else ""


def _by(line: Line) -> str:
    """Return whose evidence it is, and from when."""
    finding = line.finding
    if finding.at is None:
        return NOTHING
    return format_html("<span>{} {}</span>", who(finding.owner) if finding.owner else "", moment(finding.at))


def documents(version: ModelVersion) -> str:
    """Return the documents of each kind: how complete, and the verdicts by role; each leads to its page."""
    kept = version.documents.order_by("kind", "-revision").distinct("kind").defer("source", "content")
    newest = {row.kind: row for row in kept}
    given = _verdicts([row.pk for row in newest.values()])
    rows = []
    for kind, described in KINDS.items():
        row = newest.get(kind)
        link = format_html('<a href="{}">{}</a>', reverse("model-document", args=[version.pk, kind]), described.title)
        rows.append(
            (
                link,
                str(row.revision),
                f"{row.score} of 100",
                who(row.made_by),
                moment(row.made_at),
                given.get(row.pk, ""),
            )
            if row
            else (link, "none", NOTHING, NOTHING, NOTHING, "")
        )
    return grid(["Document", "Revision", "Complete", "By", "Date", "Reviews"], rows)


def _verdicts(documents: list[int]) -> dict[int, str]:
    """Return the newest verdict or comment of each role on revisions, with its words."""
    newest = DocumentReview.objects.filter(document__in=documents).order_by("document_id", "role", "-id")
    found: dict[int, list[str]] = {}
    for review in newest.distinct("document_id", "role"):
        words = f": “{shorten(review.comment, _LONGEST_COMMENT)}”" if review.comment else ""
        said = f"{review.get_role_display()}: {review.get_verdict_display().lower()} by {who(review.actor)}{words}"
        found.setdefault(review.document_id, []).append(said)
    return {pk: _listed(texts) for pk, texts in found.items()}


def _listed(texts: list[str]) -> str:
    return format_html(
        '<ul class="fact-list">{}</ul>', format_html_join("", "<li>{}</li>", ((each,) for each in texts))
    )
