"""Other cells of a deployment, as a package above registers them, and the id by which they are asked about a person.

Each cell has a key and pseudonyms of its own. So every door of an erasure passes on the id it was shown, sealed under
the request's key until the request closes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from consent.shown_ids import Shown
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest
from privacy.rights.requests import statements
from privacy.rights.requests.statements import Said

# Door of an erasure that another cell passes on: that cell asks all others itself.
PASSED_ON = "cell"


@dataclass(frozen=True)
class Others:
    """The other cells, and the call that has one of them erase a person; returns whether it is done there."""

    names: Callable[[], Iterable[str]]
    erase: Callable[[str, Mapping[str, str], UUID], bool]


_others: list[Others] = []


def use(others: Others) -> None:
    """Register the other cells. Called in ``AppConfig.ready()``."""
    _others[:] = [others]


def registered() -> list[tuple[Others, str]]:
    """Return each other cell's name, with the call that reaches it."""
    return [(each, name) for each in _others for name in each.names()]


def are_asked(right: str, door: str) -> bool:
    """Return whether a request concerns the other cells too."""
    return right == Right.ERASURE and door != PASSED_ON and bool(registered())


def with_id(said: Said, shown: Shown | None, *, right: str, door: str) -> Said:
    """Return what was said together with the id, where other cells are asked by it."""
    return replace(said, subject=shown.document()) if shown and are_asked(right, door) else said


def lacks_id(request: RightsRequest) -> bool:
    """Return whether the other cells cannot be asked, as no door has shown the person's id."""
    if not request.is_open or not are_asked(request.right, request.door):
        return False
    return not statements.unseal(request.statement, request.statement_salt).subject
