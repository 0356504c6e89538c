"""Refusals of change sets. Each says the way out."""

from common.http.problems import Conflict, Problem


class ChangeRefused(Problem):
    """Refusal of a change by the rules of its register."""

    status = 422
    code = "change_refused"
    title = "The change is refused"


class NothingChanged(ChangeRefused):
    code = "nothing_changed"
    title = "Nothing was changed"


class NotNow(Conflict):
    """Refusal of a step that the state of a set does not allow."""

    code = "change_set_state"
    title = "The change set is in another state"


class Outdated(Conflict):
    """Refusal of a set about objects that have changed since."""

    code = "change_set_outdated"
    title = "The registers have changed since"


class SecondOfficerNeeded(Problem):
    status = 403
    code = "second_officer_needed"
    title = "Another officer has to approve this change set"


class KeptElsewhere(Conflict):
    code = "kept_elsewhere"
    title = "This register is kept in another cell"
