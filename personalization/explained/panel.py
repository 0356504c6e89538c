"""Panel of a version's page: what it was trained on, and its parameters in words."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from common.admin_pages.display import table
from model_registry.models import ModelVersion
from model_registry.pages.panels import Panel
from personalization import engine
from personalization.explained import weights
from personalization.recommender.model import Model


def _drawn(version: ModelVersion) -> str:
    """Return the manifest in words; nothing for a version of another engine."""
    if version.model.slug != engine.MODEL_SLUG or not version.artifact:
        return ""
    try:
        model = engine.read(version.artifact, version.artifact_sha256)
    except engine.EngineFailed:
        return format_html("<p>{}</p>", "Its file is gone or is not the one that was registered: it serves no person.")
    return table([*_trained_on(model), *_parameters(model)])


def _trained_on(model: Model) -> list[tuple[str, str]]:
    on = model.trained_on
    return [
        ("People it learnt from", f"{on.people:,}"),
        ("What they did", f"{on.pairs:,} pairs of a person and an item"),
        ("Items", f"{on.items:,}"),
        ("Groups", f"{len(model.segments):,}, of at least {model.parameters.min_segment} people each"),
    ]


def _parameters(model: Model) -> list[tuple[str, str | SafeString]]:
    given = model.parameters
    rows: list[tuple[str, str | SafeString]] = [(each.whom, _listed(each)) for each in weights.weighings(given)]
    return [
        *rows,
        ("Served personally from", f"{given.recipe.min_likes} item(s) on; below that as their group"),
        ("A relation between items", f"is kept where at least {given.min_people} people stand behind it"),
        ("Neighbours of an item", f"{given.neighbours:,} at most"),
    ]


def _listed(weighing: weights.Weighing) -> SafeString:
    shares = ((f"{share.per_cent} %", share.what, share.fades) for share in weighing.shares)
    return format_html('<ul class="fact-list">{}</ul>', format_html_join("", "<li>{}: {}. {}</li>", shares))


TRAINING = Panel("Training and parameters", _drawn, order=10)
