"""Fields of items that an answer does not hold, by the obligations of its decision.

A masked field is null wherever an item has it. A rule that names a field which is not known here cannot be kept: a
permit with it serves the general list.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import Error

from common.waiting import no_wait
from policies.decisions.rendering import NO_ENGINE, RenderedVerdict
from policies.engines.base import Obligation
from policies.models import MaskRule
from policies.models.masking import ANSWERED_FIELDS, ITEM_FIELDS

DUTY = "mask_fields"
Fields = frozenset[str]
_ALL = frozenset(ANSWERED_FIELDS)


def is_understood(duty: Obligation) -> bool:
    """Return whether an obligation names fields that are known here; true of all that mask none."""
    fields = duty.properties.get("fields")
    return duty.type != DUTY or (isinstance(fields, list) and bool(fields) and all(map(_is_known, fields)))


def by_verdict(rendered: RenderedVerdict) -> Fields:
    """Return the fields that an answer of the policy masks; where no policy decided, those that any rule names.

    What cannot be read masks all that can be.
    """
    if rendered.engine == NO_ENGINE:
        try:
            return of_all_rules()
        except Error:
            return _ALL
    duties = [duty for duty in rendered.verdict.obligations if duty.type == DUTY]
    if not all(map(is_understood, duties)):
        return _ALL
    return frozenset(field for duty in duties for field in duty.properties["fields"])


def of_all_rules() -> Fields:
    """Return the fields that any rule of the register names. One statement."""
    no_wait.refuse()
    return frozenset(field for fields in MaskRule.objects.values_list("item_fields", flat=True) for field in fields)


def without(items: Sequence[Mapping[str, Any]], fields: Fields) -> list[dict[str, Any]]:
    """Return items without the values of fields."""
    return [{name: None if name in fields else value for name, value in item.items()} for item in items]


def _is_known(field: object) -> bool:
    return isinstance(field, str) and field in ITEM_FIELDS
