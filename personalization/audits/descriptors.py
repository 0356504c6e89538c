"""Register of recorded cases: one officer adds or tightens a case at once, two take one out."""

from typing import Any

from oversight.problems import ChangeRefused
from oversight.registers import Document, Register
from personalization.audits.models import RegressionCase

_MOST_ITEMS = 200
_LISTS = ("history", "expected", "forbidden", "reasons")
_DEMANDS = ("expected", "forbidden", "reasons")


def case_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a case asks for more than before, of the same history: fewer versions may serve then."""
    if after is None or not after["is_active"]:
        return False
    if before is None:
        return True
    same = {name for name in before if name not in (*_DEMANDS, "is_active", "note")}
    return all(before[name] == after[name] for name in same) and all(
        set(before[name]) <= set(after[name]) for name in _DEMANDS
    )


def _save_case(case: Any, _created: bool) -> None:
    for name in _LISTS:
        items = getattr(case, name)
        if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
            raise ChangeRefused(f"“{name}” of a case is a list of items, each by its name in the API.")
        if len(items) > _MOST_ITEMS:
            raise ChangeRefused(f"“{name}” of a case has at most {_MOST_ITEMS} items.")
    if not (case.expected or case.forbidden or case.reasons or case.level_used):
        raise ChangeRefused("A case expects something: items, items that must not come, reasons, or a level.")
    if set(case.expected) & set(case.forbidden):
        raise ChangeRefused("An item cannot be both expected and forbidden.")
    case.save()


REGRESSION_CASE = Register(
    name="regression_case",
    title="Recorded case",
    model=RegressionCase,
    key=("slug",),
    in_bundle=False,
    is_local=True,
    narrows=case_narrows,
    save=_save_case,
)
