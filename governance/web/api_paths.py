"""Paths of the API that hold no variable part: what a mistyped path may have meant."""

from collections.abc import Iterator
from functools import cache

from django.urls import URLPattern, URLResolver, get_resolver

from policies.endpoints import authzen, native


@cache
def api_paths() -> tuple[str, ...]:
    """Return the paths below ``/api/v1/`` and the decision endpoints outside Django."""
    ours = (f"/{path}" for path in _paths(get_resolver()) if path.startswith("api/v1/") and "<" not in path)
    return (*ours, native.PATH, *authzen.ENDPOINTS)


def _paths(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        path = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield path
        else:
            yield from _paths(each, path)
