"""What the front answers by itself: requests it cannot or may not pass on, as problem+json."""

from common.http.problems import CONTENT_TYPE, problem_bytes
from governance.front import limits
from governance.front.messages.answers import Answer

_TITLES = {
    "invalid_request": "The request is not valid",
    "request_timeout": "The request took too long",
    "body_too_large": "The body is too large",
    "uri_too_long": "The address is too long",
    "expectation_failed": "This expectation is not met",
    "headers_too_large": "The headers are too large",
    "internal_error": "Something went wrong on our side",
    "not_implemented": "This is not served",
    "busy": "Too many requests at once",
    "version_not_supported": "This version of HTTP is not served",
}


class Refusal(Exception):
    """A request that is not passed on. What follows it on the connection cannot be trusted, so that ends."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail

    def answer(self) -> Answer:
        """Return the answer as problem+json."""
        body = problem_bytes(status=self.status, code=self.code, title=_TITLES[self.code], detail=self.detail)
        headers = [("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
        if self.status == 503:
            headers.append(("Retry-After", str(limits.RETRY_AFTER_S)))
        return Answer(self.status, headers, body, own_code=self.code)


def malformed(detail: str) -> Refusal:
    """Return the refusal of a request that two parsers could read differently, or not at all."""
    return Refusal(400, "invalid_request", detail)


def busy() -> Refusal:
    """Return the refusal of a request whose pool is full."""
    return Refusal(503, "busy", "Too many requests of this kind are under way; send it again in a moment.")


def failed() -> Refusal:
    """Return the answer in place of one that could not be made."""
    return Refusal(500, "internal_error", "The answer could not be made. Send the request again.")
