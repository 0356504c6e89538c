"""Pages of search results: limits, and page tokens that cannot be forged or used for another search.

A token is signed with the installation's secret and holds a position, the limit and a digest of the search and its
caller; no entity. Results have a stable order; what changes between two pages may be repeated or left out.
"""

from hashlib import sha256
from typing import Annotated, Any

import msgspec
from django.core import signing

MAX_RESULTS = 1_000  # of one answer, above any requested limit
_SALT = "authzen.search"
_MAX_AGE_S = 24 * 3600
_encode = msgspec.json.Encoder(order="sorted").encode


class PageRequest(msgspec.Struct):
    """The ``page`` member of a request. Other keys are ignored."""

    token: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] | None = None
    properties: dict[str, Any] | None = None


class Cut(msgspec.Struct, frozen=True):
    """One page of results, and the token for those after it (empty at the end)."""

    start: int
    stop: int
    next_token: str


def digest_of(*parts: Any) -> str:
    """Return the digest of everything in a search that must not change between its pages."""
    return sha256(_encode(parts)).hexdigest()


def cut(page: PageRequest, total: int, digest: str) -> Cut:
    """Select a page. Raises ValueError for a token that is not of this search, or with another limit."""
    start, limit = (0, page.limit) if page.token is None else _continued(page, digest)
    size = MAX_RESULTS if limit is None else min(limit, MAX_RESULTS)
    stop = min(start + size, total)
    if stop >= total:
        return Cut(start, stop, "")
    # After an answer of nothing a bare token would ask for nothing again, for ever.
    kept = limit or None
    return Cut(start, stop, signing.dumps([stop, kept, digest], salt=_SALT))


def _continued(page: PageRequest, digest: str) -> tuple[int, int | None]:
    try:
        start, limit, of_search = signing.loads(page.token or "", salt=_SALT, max_age=_MAX_AGE_S)
    except (signing.BadSignature, ValueError, TypeError):
        raise ValueError("page.token was not given by this endpoint, or is older than a day.") from None
    if of_search != digest:
        raise ValueError("page.token belongs to another search; entities and context must stay as they were.")
    if page.limit is not None and (page.limit or None) != limit:
        raise ValueError("page.limit must stay as it was when the token was given.")
    return start, limit if page.limit is None else page.limit
