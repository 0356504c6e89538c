"""Errors a caller can act on, and their form on the wire: problem+json (RFC 9457)."""

from http import HTTPStatus
from typing import Any

import msgspec

CONTENT_TYPE = "application/problem+json"


def gettext_noop(message: str) -> str:
    """Mark a text for translation; Django's own would need Django, which the recommender does not import."""
    return message


class Problem(Exception):
    """Base of the project's errors. ``detail`` is for people, never holds personal data, and may change."""

    status: int = HTTPStatus.BAD_REQUEST
    code: str = "bad_request"
    title: str = "Bad request"

    def __init__(self, detail: str = "", *, errors: dict[str, Any] | None = None, **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors
        self.extra = extra

    @property
    def headers(self) -> dict[str, str]:
        """Return the response headers of the problem."""
        return {}

    def document(self) -> dict[str, Any]:
        return problem_document(
            status=self.status,
            code=self.code,
            title=self.title,
            detail=self.detail,
            errors=self.errors,
            **self.extra,
        )


def problem_document(
    *, status: int, code: str, title: str, detail: str, errors: Any = None, **extra: Any
) -> dict[str, Any]:
    document = {
        "type": f"/problems/{code.replace('_', '-')}",
        "title": title,
        "status": int(status),
        "detail": detail,
        "code": code,
        **extra,
    }
    if errors:
        document["errors"] = errors
    return document


def problem_bytes(**parts: Any) -> bytes:
    return msgspec.json.encode(problem_document(**parts))


class InvalidRequest(Problem):
    code = "invalid_request"
    title = "The request is not valid"


class NotFound(Problem):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"
    title = "Not found"


class Conflict(Problem):
    status = HTTPStatus.CONFLICT
    code = "conflict"
    title = "Conflict"


class Unavailable(Problem):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    title = "Not available just now"


class TooManyRequests(Problem):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_requests"
    title = gettext_noop("Too many attempts")  # pages translate it, problem documents do not

    def __init__(self, *, retry_after_s: int) -> None:
        super().__init__(gettext_noop("There were too many attempts in a short time. Wait a little and try again."))
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_s)}
