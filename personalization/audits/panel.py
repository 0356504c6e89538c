"""What audits found of a version, as figures and tables: a panel of its page, and the page of its audits."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse

from common.admin_pages.display import NOTHING, badge, grid, moment, who
from common.charts.counts import Figure, Tone
from common.charts.intervals import IntervalRow, in_words, intervals_figure
from common.charts.rates import Part, lines_figure, percent
from model_registry.gates import outcome
from model_registry.gates.checks import EXEMPT, FAILED, PASSED, PENDING
from model_registry.models import ModelVersion
from personalization.audits import running
from personalization.audits.gathering import NotAuditable, refuse_foreign
from personalization.audits.models import AuditRun
from personalization.audits.suite import AUDITS

_TONES = {PASSED: "good", EXEMPT: "plain", PENDING: "info", FAILED: "alarm"}
_WORDS = {PASSED: "Passed", EXEMPT: "Does not apply", PENDING: "Waiting", FAILED: "Failed"}
# Of the others' quality, in thousandths: the threshold that is shipped marks a row; the register's is in the summary.
_MARKED = 800
Result = Mapping[str, Any]


def drawn(version: ModelVersion) -> str:
    """Return the panel of a version's page; nothing for a version that is not audited here."""
    try:
        refuse_foreign(version)
    except NotAuditable:
        return ""
    context = {**shown(version), "url": reverse("model-audits", args=[version.pk])}
    return render_to_string("admin/models/audits_panel.html", context)


def shown(version: ModelVersion) -> dict[str, Any]:
    """Return the newest result of each audit about the version's file, as a summary and figures."""
    newest = newest_results(version)
    return {
        "summary": _summary(version, newest) if newest else "",
        "figures": _figures({name: result for name, (_run, result) in newest.items()}),
    }


def newest_results(version: ModelVersion) -> dict[str, tuple[AuditRun, Result]]:
    """Return the newest result of each audit, with its run. Only about the file that is registered now."""
    ended = AuditRun.objects.filter(
        version=version, artifact_sha256=version.artifact_sha256, state=AuditRun.State.DONE
    ).order_by("finished_at")
    found = {name: (run, result) for run in ended.select_related("version") for name, result in run.results.items()}
    return {name: found[name] for name in AUDITS if name in found}


def _summary(version: ModelVersion, newest: Mapping[str, tuple[AuditRun, Result]]) -> str:
    lines = {line.slug: line for line in outcome.of(version).lines}
    untrue = {run.pk: running.untrue(run) for run, _result in newest.values()}
    rows = []
    for name, (run, result) in newest.items():
        line = lines.get(AUDITS[name].gate)
        state = badge(_WORDS[line.finding.state], _TONES[line.finding.state]) if line else badge("No gate demands it")
        signed = badge("Not genuine", "alarm") if untrue[run.pk] else badge("Genuine", "good")
        said = line.finding.why if line else _said(result)
        rows.append((AUDITS[name].title, state, said, signed, who(run.author), moment(run.finished_at)))
    return grid(["Audit", "Gate", "Found", "Signature", "By", "When"], rows, is_stacked=True)


def _said(result: Result) -> str:
    figures = result["figures"]
    if not result["measured"]:
        return f"Not measured: {figures['why']}."
    return ", ".join(f"{member.replace('_', ' ')} {value}" for member, value in figures.items() if value is not None)


def _figures(results: Mapping[str, Result]) -> list[Figure]:
    measured = {name: result["report"] for name, result in results.items() if result["measured"]}
    drawing = {"bias": _slices, "leak": _scores, "ageing": _months}
    return [draw(measured[name]) for name, draw in drawing.items() if name in measured]


def _slices(report: Result) -> Figure:
    rows = [_slice(one) for one in report["slices"]]
    return intervals_figure(
        rows,
        title="Quality by group of people",
        description="Share of the best possible quality (nDCG of ten) with its 95 % interval, the worst served first.",
        headings=(
            "Group",
            "People",
            "Quality",
            "To the others'",
            "With a hit",
            "To the others'",
            "Own taste shown",
        ),
        table=[
            (
                one["group"],
                str(one["people"]),
                in_words(row),
                _times(one["quality_ratio"]),
                _share(one["reached"][0]),
                _times(one["impact_ratio"]),
                NOTHING if one["own_taste"] is None else f"{one['own_taste'] / 1000:.2f}",
            )
            for one, row in zip(report["slices"], rows, strict=True)
        ],
    )


def _slice(one: Result) -> IntervalRow:
    value, low, high = (end / 1000 for end in one["quality"])
    at_most = one["quality_ratio"][2]
    is_marked = at_most is not None and at_most < _MARKED
    return IntervalRow(one["group"], f"{one['people']} people", value, low, high, is_marked)


def _times(ratio: Sequence[int | None]) -> str:
    value, low, high = ("unbounded" if end is None else f"{end / 1000:.2f}" for end in ratio)
    return f"{value} ({low} to {high})"


def _share(thousandths: int) -> str:
    return percent(thousandths / 1000)


def _scores(report: Result) -> Figure:
    """Draw the distributions of the attack's statistic: the closer the lines, the less a score gives away."""
    name = "model" if "model" in report["attacks"] else "reference"
    attack = report["attacks"][name]
    labels = [f"{(low + high) / 2000:.1f}" for low, high in zip(attack["edges"], attack["edges"][1:], strict=False)]
    on = "the model itself" if name == "model" else "a reference trained on half of the people"
    return lines_figure(
        labels,
        [
            (Part("Trained on", Tone.ACCENT), [share / 1000 for share in attack["inside"]]),
            (Part("Not trained on", Tone.QUIET), [share / 1000 for share in attack["outside"]]),
        ],
        title="Scores of people's own items",
        description=f"Of {on}: share of people by how far their left-out items score above the rest.",
        heading="Standard deviations above the rest",
    )


def _months(report: Result) -> Figure:
    months = report["months"]
    return lines_figure(
        [f"month {one['age']}" for one in months],
        [(Part("Quality", Tone.ACCENT), [one["quality"][0] / 1000 for one in months])],
        title="Quality by the model's age",
        description="Trained once; share of the best possible quality among people who came back, month by month.",
        heading="After the training",
    )


def cases(results: Mapping[str, tuple[AuditRun, Result]]) -> str:
    """Return recorded cases with what differs."""
    found = results.get("regression")
    if found is None or not found[1]["measured"]:
        return ""
    rows = [
        (one["name"], badge("Differs", "alarm") if one["differences"] else badge("As recorded", "good"),
         "; ".join(one["differences"]) or NOTHING)
        for one in found[1]["report"]["cases"]
    ]  # fmt: skip
    return grid(["Case", "Answer", "Difference"], rows, is_stacked=True)


def promoted(results: Mapping[str, tuple[AuditRun, Result]]) -> str:
    """Return what fake profiles brought about."""
    found = results.get("adversarial")
    if found is None or not found[1]["measured"]:
        return ""
    rows = [
        (f"Item {number}", one["profiles"], _share(one["before"]), _share(one["after"]), one["rank_before"],
         one["rank_after"])
        for number, one in enumerate(found[1]["report"]["promoted"], start=1)
    ]  # fmt: skip
    headings = ["Little known item", "Fake profiles", "Shown to before", "Shown to after", "Rank before", "Rank after"]
    return grid(headings, rows, is_stacked=True)
