"""Write rows as PostgreSQL's COPY reads them in text format (documentation, COPY, "Text Format")."""

import re

_SPECIAL = re.compile(r"[\\\n\r\t]")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def copy_line(*values: str | int | bool | None) -> str:
    """Return one row; None is NULL, bytea is written as ``\\x...``."""
    return "\t".join([_field(value) for value in values]) + "\n"


def _field(value: str | int | bool | None) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value) if _SPECIAL.search(value) else value
    return str(value)
