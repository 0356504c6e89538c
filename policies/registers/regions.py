"""Regions of the register: a public list, whoever lives in them."""

from policies.models import Region


def codes() -> list[str]:
    return list(Region.objects.values_list("code", flat=True))
