"""Groups of regions and processing regions that forms offer, registered by the package that keeps their registers."""

from collections.abc import Callable

Names = Callable[[], list[str]]
_groups: Names = list
_regions: Names = list


def use(*, groups: Names, regions: Names) -> None:
    """Register the two lists. Called in ``AppConfig.ready()``."""
    global _groups, _regions
    _groups, _regions = groups, regions


def groups() -> list[str]:
    """Return the groups of regions whose people a table may be about."""
    return _groups()


def regions() -> list[str]:
    """Return the regions where a receiver may keep it."""
    return _regions()
