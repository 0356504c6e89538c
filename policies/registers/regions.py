"""Regions of the register: a public list, whoever lives in them."""

from policies.models import ProcessingRegion, Region


def codes() -> list[str]:
    return list(Region.objects.values_list("code", flat=True))


def groups() -> list[str]:
    """Return the groups of regions that people live in, under the residency rules."""
    return list(Region.objects.order_by("group").values_list("group", flat=True).distinct())


def processing() -> list[str]:
    """Return the regions where data may be processed."""
    return list(ProcessingRegion.objects.order_by("slug").values_list("slug", flat=True))
