"""Work that monitors give the owner of a model."""

from datetime import timedelta

from django.db import transaction
from django.urls import reverse

from model_registry.models import ModelVersion
from model_registry.segments import stopping
from oversight.work import items
from oversight.work.kinds import Kind


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
