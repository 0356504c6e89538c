"""A verification as text for a terminal, as JSON, and as a panel of the version's page."""

import json

from django.utils.html import format_html

from common.admin_pages.display import badge, code, exact_moment, grid, who
from model_registry.models import Evidence, ModelFile, ModelVersion
from personalization.verification.lines import Report, State
from personalization.verification.verifying import EVIDENCE

_TONES = {State.VERIFIED: "good", State.DIGEST_ONLY: "plain", State.DIFFERS: "alarm", State.MISSING: "alarm"}


def as_text(version: ModelVersion, report: Report) -> str:
    """Return the lines that are not verified, each with its reason, and how many there are of each state."""
    shown = [line for line in report.lines if line.state is not State.VERIFIED]
    lines = [f"  {line.state}: {line.what}{f' ({line.why})' if line.why else ''}" for line in shown]
    counts = ", ".join(f"{count} {state}" for state, count in report.counts.items() if count)
    return "\n".join([f"{version}: {counts}", *lines])


def as_json(version: ModelVersion, report: Report) -> str:
    """Return every line, and the counts by state."""
    lines = [{"what": line.what, "state": str(line.state), "why": line.why} for line in report.lines]
    return json.dumps(
        {
            "model": version.model.slug,
            "version": version.version,
            "passed": not report.bad,
            "counts": report.counts,
            "lines": lines,
        },
        indent=1,
        ensure_ascii=False,
    )


def panel(version: ModelVersion) -> str:
    """Return the files of a version, its signature, and what the last verification found; empty without files."""
    files = list(version.files.all())
    if not files and not version.signature:
        return ""
    rows = [(file.get_kind_display(), _standing(file), code(file.sha256)) for file in files]
    signed = badge("Signed", "good") if version.signature else badge("Not signed", "alarm")
    return format_html(
        "<p>{} {}</p>{}{}",
        signed,
        "Name, number, digests and figures are signed; a file that is not of the signature is not served.",
        grid(["File", "State", "SHA-256"], rows),
        _last(version),
    )


def _standing(file: ModelFile) -> str:
    if file.gone_at is not None:
        return f"Deleted {exact_moment(file.gone_at)}, as its retention says"
    if file.persons_left:
        return f"{file.persons_left} of {file.persons} people left it: digest only"
    return "Kept"


def _last(version: ModelVersion) -> str:
    """Return when the figures were last verified, by whom, and what differed or was missing."""
    last = version.evidence.filter(kind=Evidence.Kind.AUDIT, name=EVIDENCE).order_by("-id").first()
    if last is None:
        return format_html(
            "<p>Its figures were not verified yet: <code>./assent model verify {} {}</code></p>",
            version.model.slug,
            version.version,
        )
    found = [(state, count) for state, count in last.figures["counts"].items() if count]
    counts = [(badge(state.capitalize(), _TONES[State(state)]), count) for state, count in found]
    bad = [(badge(each["state"].capitalize(), "alarm"), each["what"], each["why"]) for each in last.figures["bad"]]
    about = "" if last.artifact_sha256 == version.artifact_sha256 else "It was about another file. "
    return format_html(
        "<p>{}Last verified {} by {}.</p>{}{}",
        about,
        exact_moment(last.made_at),
        who(last.made_by),
        grid(["State", "Figures and digests"], counts),
        grid(["State", "What", "Why"], bad) if bad else "",
    )
