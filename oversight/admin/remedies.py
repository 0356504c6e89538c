"""Ways out of a lint finding that a button on the page of a draft takes: what it adds is proposed with the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from oversight.changes import drafting, preview
from oversight.changes.documents import Compared, Proposed
from oversight.models import ChangeSet
from oversight.problems import ChangeRefused

Mend = Callable[[str, Sequence[Compared]], list[Proposed]]


@dataclass(frozen=True)
class Remedy:
    """What mends findings of a code: ``mend`` gets the key of the object and the set's changes."""

    code: str
    button: str
    explains: str
    mend: Mend


_remedies: dict[str, Remedy] = {}


def add_remedy(*remedies: Remedy) -> None:
    """Register remedies by the code of the finding that they mend."""
    _remedies.update({remedy.code: remedy for remedy in remedies})


def of(change_set: ChangeSet) -> list[Remedy]:
    """Return the remedies of the findings of a draft that was checked as it stands."""
    if change_set.state != ChangeSet.State.DRAFT or not change_set.is_checked:
        return []
    codes = {finding["code"] for finding in change_set.findings}
    return [remedy for code, remedy in _remedies.items() if code in codes]


def apply(change_set: ChangeSet, code: str, *, actor: str) -> ChangeSet:
    """Add what mends all findings of a code to the draft, and check it. Raises ChangeRefused, NotNow."""
    if code not in {remedy.code for remedy in of(change_set)}:
        raise ChangeRefused("Nothing is to be mended here. Check the draft again.")
    changes = preview.compared(change_set)
    keys = sorted({finding["key"] for finding in change_set.findings if finding["code"] == code})
    proposed = [each for key in keys for each in _remedies[code].mend(key, changes)]
    return preview.check(drafting.edit(change_set, proposed, actor=actor))
