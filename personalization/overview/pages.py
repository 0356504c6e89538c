"""Page of the overview of the recommender in use: versions, freshness, plots over days, weights, lost signals."""

from collections.abc import Mapping

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from common.admin_pages.display import NOTHING, badge, exact_moment, grid, moment
from common.admin_pages.permissions import requires
from common.charts.counts import Figure, grouped
from model_registry.models import ModelVersion
from model_registry.pages.overview import page_of
from personalization import engine
from personalization.monitors import results
from personalization.monitors.measuring import Answers
from personalization.overview import answers, drawings, freshness
from personalization.recommender.model import Model
from personalization.training_runs import running
from personalization.training_runs.models import TrainingRun

VIEW = "model_registry.view_modelversion"
PERIODS = (7, 14, 30)
_DEFAULT_DAYS = 14
_Status = ModelVersion.Status
_TONES = {_Status.LIVE: "good", _Status.CANARY: "info", _Status.SUSPENDED: "alarm"}


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm(VIEW)


@require_safe
@requires(VIEW)
def show(request: HttpRequest) -> HttpResponse:
    """Show the overview. A dozen statements for any number of answers; one more for each version in use."""
    now = timezone.now()
    asked = request.GET.get("days", "")
    days = next((days for days in PERIODS if str(days) == asked), _DEFAULT_DAYS)
    served = answers.served(until=now.date(), days=days)
    versions = _in_use()
    serving = [version for version in versions if version.serves]
    everything = served.total
    losses = answers.losses(until=now.date(), days=days)
    context = {
        **admin.site.each_context(request),
        "title": "Recommender",
        "periods": [(number, f"Last {number} days", number == days) for number in PERIODS],
        "tiles": _tiles(everything),
        "versions": _versions(versions, served.by_version) if versions else "",
        "fresh": [
            (each.what, exact_moment(each.at) if each.at else "Never", each.renewed) for each in freshness.read(serving)
        ],
        "training": TrainingRun.objects.filter(state__in=TrainingRun.OPEN).first(),
        "training_steps": len(running.STEPS),
        "figures": [*drawings.over_time(served.days), drawings.fallbacks(everything)],
        "weights": [found for version in serving for found in _weights(version)],
        "losses": _losses(losses) if losses else "",
    }
    return render(request, "admin/models/engine.html", context)


def _in_use() -> list[ModelVersion]:
    rows = ModelVersion.objects.filter(model__slug=engine.MODEL_SLUG, status__in=ModelVersion.IN_USE)
    return list(rows.select_related("model").prefetch_related("purposes").order_by("-version"))


def _tiles(everything: Answers) -> list[dict[str, str]]:
    total, resting = everything.total, answers.resting()
    personal = total - everything.levels["none"]
    slowest = everything.within(0.99)
    return [
        {"label": "Answers", "value": grouped(total), "hint": "of versions, in these days"},
        {
            "label": "More than general",
            "value": _per_cent(personal, total),
            "hint": "lists that use something of the person",
        },
        {
            "label": "Engine gave nothing",
            "value": _per_cent(everything.failed, total),
            "hint": "the general list instead",
        },
        {
            "label": "99 of 100 within",
            "value": NOTHING if slowest is None else f"{1_000 * slowest:g} ms",
            "hint": "decision included",
        },
        {
            "label": "Circuit breaker",
            "value": "Closed" if not resting else f"Open in {resting}",
            "hint": "of the web processes of this machine, as of the last answer of each",
        },
    ]


def _per_cent(some: int, of: int) -> str:
    return f"{100 * some / of:.1f} %" if of else NOTHING


def _versions(versions: list[ModelVersion], counted: Mapping[int, Answers]) -> str:
    headings = ("Version", "State", "Serves", "Level up to", "Since", "Beyond its objectives", "Answers")
    rows = (
        (
            format_html('<a href="{}">{}</a>', page_of(version), version.title),
            badge(version.get_status_display(), _TONES[_Status(version.status)]),
            ", ".join(purpose.name for purpose in version.purposes.all()) or NOTHING,
            version.get_max_level_display(),
            moment(version.status_changed_at),
            _beyond(version),
            grouped(counted[version.pk].total) if version.pk in counted else "0",
        )
        for version in versions
    )
    return grid(headings, rows)


def _beyond(version: ModelVersion) -> str:
    found = results.beyond_now(version)
    address = f"{page_of(version)}#panel-monitors"
    return format_html('<a href="{}">{}</a>', address, badge(f"{len(found)} monitors", "alarm")) if found else NOTHING


def _weights(version: ModelVersion) -> list[Figure]:
    model = _file(version)
    if model is None:
        return []
    compared = version.metrics.get("validation", {}).get("ndcg_at_10_per_mille", {})
    drawn = [drawings.weights(model.parameters.recipe, version.version)]
    return [*drawn, drawings.compared(compared, version.version)] if compared else drawn


def _file(version: ModelVersion) -> Model | None:
    try:
        return engine.read(version.artifact, version.artifact_sha256)
    except engine.EngineFailed:
        return None


def _losses(found: list[answers.Loss]) -> str:
    rows = ((each.sender, grouped(each.numbered), grouped(each.lost), f"{100 * each.share:.2f} %") for each in found)
    return grid(("Sender", "Numbered events", "Never arrived", "Share"), rows)
