"""What can go wrong, as exceptions a caller can tell apart. Every one of them means: not permitted."""

from collections.abc import Mapping, Sequence
from typing import Any


class AssentError(Exception):
    """Anything that kept an answer from arriving, or kept a permit from being one."""


class Unavailable(AssentError):
    """Nobody answered in time, or the answer was 5xx, also after the retries."""


class UnreadableAnswer(AssentError):
    """The answer is not what this client knows how to read."""


class ProblemError(AssentError):
    """A request that was refused as problem+json. ``code`` is stable; ``detail`` is for people."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(document.get("code", ""))
        self.title = str(document.get("title", ""))
        self.detail = str(document.get("detail", ""))
        self.errors: Any = document.get("errors")
        super().__init__(f"{status} {self.code}: {self.detail}")


class InvalidRequest(ProblemError):
    """400 or 422: asking again the same way will not help."""


class Unauthenticated(ProblemError):
    """401: no credential, or one that is not valid (any more)."""


class Forbidden(ProblemError):
    """403: the credential lacks the scope."""


class NotFound(ProblemError):
    """404."""


class Conflict(ProblemError):
    """409: the state has changed, or does not allow it."""


class TooLarge(ProblemError):
    """413: send less at once."""


class TooManyRequests(ProblemError):
    """429: wait ``retry_after_s`` seconds, where it is told."""

    retry_after_s: float | None = None


class NotPermitted(AssentError):
    """The answer is a denial. ``reasons`` are its codes."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(f"Not permitted: {', '.join(self.reasons) or 'no reason given'}")


class UnfulfilledObligations(NotPermitted):
    """A permit with duties the caller did not say it fulfils; that makes it a denial."""

    def __init__(self, types: Sequence[str]) -> None:
        super().__init__([f"obligation:{each}" for each in types])
        self.types = tuple(types)


_BY_STATUS: dict[int, type[ProblemError]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: InvalidRequest,
    429: TooManyRequests,
}


def problem(status: int, document: Mapping[str, Any]) -> ProblemError:
    return _BY_STATUS.get(status, ProblemError)(status, document)
