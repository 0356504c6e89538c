"""Lists in pages: a caller reads on after the last entry it has, so nothing is lost when entries come or go."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from common.http.problems import InvalidRequest

MAX_ENTRIES = 1_000
DEFAULT_ENTRIES = 100
_LIMIT = re.compile(r"[1-9][0-9]{0,3}")
_KEY = r"^[-a-zA-Z0-9_]{1,64}$"
PARAMETERS = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_ENTRIES, "default": DEFAULT_ENTRIES},
        OpenApiParameter.QUERY,
        description="Entries of one answer.",
    ),
    OpenApiParameter(
        "page_token",
        {"type": "string", "pattern": _KEY},
        OpenApiParameter.QUERY,
        description="`next_token` of the answer before.",
    ),
]
Entry = TypeVar("Entry")


class _Rows(Protocol[Entry]):
    """A query set, as far as a page needs it."""

    def filter(self, **conditions: Any) -> "_Rows[Entry]": ...
    def order_by(self, *names: str) -> "_Rows[Entry]": ...
    def __getitem__(self, place: slice) -> Any: ...


@dataclass(frozen=True)
class PageRequest:
    """The page a caller asks for: so many entries after the one with this key."""

    limit: int
    after: str


def page_request(request: Request) -> PageRequest:
    """Read ``limit`` and ``page_token``. Raises InvalidRequest."""
    errors: dict[str, list[str]] = {}
    limit = request.query_params.get("limit", str(DEFAULT_ENTRIES))
    if not _LIMIT.fullmatch(limit) or int(limit) > MAX_ENTRIES:
        errors["limit"] = [f"must be a whole number from 1 to {MAX_ENTRIES}"]
    after = request.query_params.get("page_token", "")
    if "page_token" in request.query_params and not re.fullmatch(_KEY, after):
        errors["page_token"] = ["must be the next_token of an answer before; leave it out to start"]
    if errors:
        raise InvalidRequest("Some parameters of the query are not as they should be.", errors=errors)
    return PageRequest(int(limit), after)


def page_of(
    rows: _Rows[Entry],
    page: PageRequest,
    *,
    name: str,
    key: str,
    render: Callable[[Entry], Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the page as a document, ordered by the column ``key``; one entry more is read to know if it is the last.

    ``key`` is also the member of the rendered entry that the next page starts after.
    """
    found = list(rows.filter(**{f"{key}__gt": page.after}).order_by(key)[: page.limit + 1])
    entries = [render(row) for row in found[: page.limit]]
    next_token = entries[-1][key] if len(found) > page.limit else ""
    return {"page": {"next_token": next_token, "count": len(entries)}, name: entries}
