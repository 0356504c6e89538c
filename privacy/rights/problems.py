"""Refusals of requests. Each says the way out."""

from common.http.problems import Conflict, NotFound, Problem


class RequestUnknown(NotFound):
    code = "request_unknown"
    title = "There is no such request"


class MoveNotAllowed(Conflict):
    """Refusal of a move that the state of a request does not allow."""

    code = "request_state"
    title = "The request is in another state"


class ReasonNeeded(Problem):
    status = 422
    code = "reason_needed"
    title = "This step needs its reason"


class ExtensionRefused(Conflict):
    code = "extension_refused"
    title = "The law gives no extension here"
