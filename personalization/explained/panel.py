"""Panel of a version's page: what it was trained on, and its parameters in words."""

from django.utils.html import format_html

from common.admin_pages.display import grid, table
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
    parts, rows = weights.compared(weights.weighings(model.parameters))
    compared = grid(["For whom", *parts], ((whom, *counts) for whom, counts in rows))
    return format_html("{}{}", table([*_trained_on(model), *_parameters(model)]), compared)


def _trained_on(model: Model) -> list[tuple[str, str]]:
    on = model.trained_on
    return [
        ("People it learnt from", f"{on.people:,}"),
        ("What they did", f"{on.pairs:,} pairs of a person and an item"),
        ("Items", f"{on.items:,}"),
        ("Groups", f"{len(model.segments):,}, of at least {model.parameters.min_segment} people each"),
    ]


def _parameters(model: Model) -> list[tuple[str, str]]:
    given = model.parameters
    least = given.recipe.min_likes
    return [
        ("Served personally from", f"{least} item{'s' if least > 1 else ''} on; below that as their group"),
        ("A relation between items", f"is kept where at least {given.min_people} people stand behind it"),
        ("Neighbours of an item", f"{given.neighbours:,} at most"),
    ]


TRAINING = Panel("Training and parameters", _drawn, order=10)
