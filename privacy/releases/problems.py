"""Refusals around releases of tables, with their stable codes."""

from common.http.problems import Conflict, InvalidRequest, NotFound


class TableRefused(InvalidRequest):
    code = "table_refused"
    title = "This table cannot be taken in"


class AskedWrongly(InvalidRequest):
    code = "release_invalid"
    title = "This release cannot be prepared"

    def __init__(self, detail: str, *, field: str = "") -> None:
        """``field``: what of the question is wrong, as its form names it; a column's is ``column NAME``."""
        super().__init__(detail, errors={field: [detail]} if field else None)


class ReleaseRefused(Conflict):
    code = "release_refused"
    title = "This release may not leave"


class NoSuchRelease(NotFound):
    code = "release_not_found"
    title = "There is no such release"


class NoSuchToken(NotFound):
    code = "token_not_found"
    title = "This pseudonym cannot be opened"
