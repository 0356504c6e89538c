"""Nearest known names of one that is not known: for a refusal that shows the way out."""

from collections.abc import Iterable
from difflib import get_close_matches

_MAX_NAMED = 12


def hint(name: str, known: Iterable[str]) -> str:
    """Return a sentence that names the nearest known names; where none is near, the first of all in order."""
    names = sorted(known)
    near = get_close_matches(name.lower(), names, n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    if not names:
        return "None is registered yet."
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f"Known: {', '.join(names[:_MAX_NAMED])}{more}."
