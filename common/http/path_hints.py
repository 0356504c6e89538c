"""Hints at the path that a caller may have meant; the path that was sent is not repeated, it may name a person."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 256  # what is longer is no typo, and comparing takes time with the square of the length


def sentence(path: str, known: Iterable[str]) -> str:
    """Return the detail of a 404: the nearest of the paths that exist, where one is near."""
    paths = list(known)
    written = path.lower().rstrip("/")
    near = get_close_matches(written, paths, n=1, cutoff=0.8) if len(path) <= _LONGEST else []
    return f"There is no such endpoint. Did you mean {near[0]}?" if near else "There is no such endpoint."
