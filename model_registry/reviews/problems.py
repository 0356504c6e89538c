"""Refusals of verdicts. Each says the way out."""

from common.http.problems import Conflict, Problem


class VerdictRefused(Problem):
    status = 422
    code = "verdict_refused"
    title = "The verdict is refused"


class ReviewNotOpen(Conflict):
    code = "review_not_open"
    title = "The review is over"


class OutputChanged(Conflict):
    code = "output_changed"
    title = "The output is not the one that was shown"


class ReviewerNotIndependent(Problem):
    status = 403
    code = "reviewer_not_independent"
    title = "Another reviewer has to judge this output"
