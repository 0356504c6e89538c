"""Global Privacy Control (W3C): the ``Sec-GPC`` header and the site's own statement about it."""

from collections.abc import Iterable, Mapping
from datetime import date

ENVIRON_KEY = "HTTP_SEC_GPC"
_SET = "1"
# What HTTP allows around the values of a list; other white space is part of a value.
_AROUND = " \t"


def is_set(header_values: Iterable[str]) -> bool:
    """Say whether the person opts out: some header's value is exactly ``1``.

    Every other value, ``0`` and ``true`` included, is as good as no header.
    """
    return any(value == _SET for value in header_values)


def is_set_in_environ(environ: Mapping[str, object]) -> bool:
    """Say the same for a WSGI request, whose server joins repeated headers with commas."""
    joined = environ.get(ENVIRON_KEY)
    return isinstance(joined, str) and is_set(value.strip(_AROUND) for value in joined.split(","))


def well_known(last_update: date) -> dict[str, object]:
    """Return the document at ``/.well-known/gpc.json`` for a site that abides by the signal."""
    return {"gpc": True, "lastUpdate": f"{last_update:%Y-%m-%d}"}
