"""Work that monitors give the owner of a model."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.urls import reverse

from model_registry.models import ModelVersion
from model_registry.segments import stopping
from oversight.work import items
from oversight.work.kinds import Kind
from personalization.monitors import results
from personalization.monitors.kinds import MONITORS


def _page(object_name: str) -> str:
    return reverse("admin:model_registry_modelversion_change", args=[object_name])


def _describe_stopped(object_name: str) -> str:
    version = ModelVersion.objects.select_related("model").get(pk=int(object_name))
    segments = ", ".join(stopping.stopped(version)) or "none any more"
    return (
        f"{version}: people of these segments get the general list, as too few are left in them: {segments}. "
        "Train and release a version without them, or let two officers bring one back that has grown again."
    )


STOPPED = Kind(
    slug="model-segments-stopped",
    title="Segments of a model were stopped",
    due=timedelta(days=14),
    permission="model_registry.change_modelversion",
    url=_page,
    describe=_describe_stopped,
)


@transaction.atomic
def follow_stopped(version: ModelVersion, *, actor: str) -> None:
    """Open the work for a version with stopped segments; close that of versions without any, or out of use."""
    if stopping.stopped(version):
        items.open_item(STOPPED.slug, str(version.pk), actor=actor)
    for item in items.all_open(STOPPED.slug):
        found = ModelVersion.objects.select_related("model").get(pk=item.object)
        if found.status not in ModelVersion.IN_USE:
            items.void(item, actor=actor, outcome=found.status)
        elif not stopping.stopped(found):
            items.finish(item, actor=actor, outcome="No segment is stopped any more.")


def _describe_monitored(object_name: str) -> str:
    version = ModelVersion.objects.select_related("model").get(pk=int(object_name))
    names = [MONITORS[name].title for name in results.beyond_now(version) if name in MONITORS]
    return (
        f"{version} is beyond its objectives: {', '.join(names) or 'not any more'}. Look at its monitors, and at what "
        "changed on the day it began. Train it anew, go back to the version before, or suspend it."
    )


MONITORED = Kind(
    slug="model-monitor",
    title="A model is beyond its objectives",
    due=timedelta(days=3),
    permission="model_registry.change_modelversion",
    url=lambda name: _page(name) + "#panel-monitors",
    describe=_describe_monitored,
)


@transaction.atomic
def follow_monitored(version: ModelVersion, beyond: Sequence[str], *, actor: str) -> None:
    """Open the work where a version is beyond an objective; finish it where it is beyond none any more."""
    if beyond:
        items.open_item(MONITORED.slug, str(version.pk), actor=actor)
    elif item := items.find_open(MONITORED.slug, str(version.pk)):
        items.finish(item, actor=actor, outcome="Within its objectives.")


@transaction.atomic
def close_monitored(*, actor: str) -> None:
    """Close the work of versions out of use."""
    for item in items.all_open(MONITORED.slug):
        version = ModelVersion.objects.get(pk=item.object)
        if version.status not in ModelVersion.IN_USE:
            items.void(item, actor=actor, outcome=version.status)
