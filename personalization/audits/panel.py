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
from model_registry.gates.checks import GATES
from model_registry.gates.findings import EXEMPT, FAILED, PASSED
from model_registry.gates.found import gather
from model_registry.models import ModelVersion
from personalization.audits import running
from personalization.audits.gathering import NotAuditable, refuse_foreign
from personalization.audits.models import AuditRun
from personalization.audits.suite import AUDITS

_TONES = {PASSED: "good", EXEMPT: "plain", FAILED: "alarm"}
_WORDS = {PASSED: "Passed", EXEMPT: "Does not apply", FAILED: "Failed"}
# Of the others' quality, in thousandths: the threshold that is shipped marks a row; the register's is in the summary.
_MARKED = 800
Result = Mapping[str, Any]
Newest = Mapping[str, tuple[AuditRun, Result]]


SUMMARY = ("Audit", "Gate", "Found", "Signature", "By", "When")


def drawn(version: ModelVersion) -> str:
    """Return the panel of a version's page; nothing for a version that is not audited here."""
    try:
        refuse_foreign(version)
    except NotAuditable:
        return ""
    newest = newest_results(version)
    context = {
        "summary": grid(SUMMARY, summary(version, newest)) if newest else "",
        "figures": figures(newest),
        "url": reverse("model-audits", args=[version.pk]),
    }
    return render_to_string("admin/models/audits_panel.html", context)


def newest_results(version: ModelVersion) -> Newest:
    """Return the newest result of each audit, with its run. Only about the file that is registered now."""
    ended = AuditRun.objects.filter(
        version=version, artifact_sha256=version.artifact_sha256, state=AuditRun.State.DONE
    ).order_by("finished_at")
    found = {name: (run, result) for run in ended.select_related("version") for name, result in run.results.items()}
    return {name: found[name] for name in AUDITS if name in found}


def summary(version: ModelVersion, newest: Newest) -> list[tuple[Any, ...]]:
    """Return for each audit what its gate says of it; where no gate demands it, by the threshold that is shipped."""
    found = gather(version)
    demanded = {line.slug: line.finding for line in outcome.of(version).lines}
    untrue = {run.pk: running.untrue(run) for run, _result in newest.values()}
    rows = []
    for name, (run, _result) in newest.items():
        gate = AUDITS[name].gate
        finding = demanded.get(gate) or GATES[gate].check(found, GATES[gate].threshold)
        state = badge(_WORDS[finding.state], _TONES[finding.state]) if gate in demanded else badge("Not demanded")
        signed = badge("Not genuine", "alarm") if untrue[run.pk] else badge("Genuine", "good")
        rows.append((AUDITS[name].title, state, finding.why, signed, who(run.author), moment(run.finished_at)))
    return rows


def figures(newest: Newest) -> list[Figure]:
    """Return the drawings of what was measured."""
    results = {name: result for name, (_run, result) in newest.items()}
    measured = {name: result["report"] for name, result in results.items() if result["measured"]}
    drawing = {"bias": _slices, "leak": _scores, "ageing": _months}
    return [draw(measured[name]) for name, draw in drawing.items() if name in measured]


def _slices(report: Result) -> Figure:
    rows = [_slice(one) for one in report["slices"]]
    return intervals_figure(
        rows,
        title="Quality by group of people",
        description="Share of the best possible quality (nDCG of ten) with its 95 % interval, the worst served first.",
        headings=("Group", "Quality", "To the others'", "Hits to the others'", "Own taste shown"),
        table=[
            (
                f"{one['group']}, {row.note}",
                in_words(row),
                _times(one["quality_ratio"]),
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
    on = "the model itself" if name == "model" else "references trained without some of the people"
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


def cases(newest: Newest) -> list[tuple[Any, ...]]:
    """Return recorded cases with what differs."""
    found = newest.get("regression")
    if found is None or not found[1]["measured"]:
        return []
    return [
        (one["name"], badge("Differs", "alarm"), "; ".join(one["differences"]))
        if one["differences"]
        else (one["name"], badge("As recorded", "good"), NOTHING)
        for one in found[1]["report"]["cases"]
    ]


def promoted(newest: Newest) -> list[tuple[Any, ...]]:
    """Return what fake profiles brought about, item by item."""
    found = newest.get("adversarial")
    if found is None or not found[1]["measured"]:
        return []
    return [
        (
            f"Item {number}",
            one["profiles"],
            _share(one["before"]),
            _share(one["after"]),
            one["rank_before"],
            one["rank_after"],
        )
        for number, one in enumerate(found[1]["report"]["promoted"], start=1)
    ]
