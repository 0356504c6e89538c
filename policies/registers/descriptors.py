"""Descriptors of the registers that hold rules as data: jurisdictions, regions, residency, sensitive categories."""

from typing import Any

from oversight.registers import Document, Register
from policies.models import (
    Jurisdiction,
    ProcessingRegion,
    Region,
    ResidencyRule,
    SensitiveCategory,
    TransferInstrument,
)

_ALL = "*"


def rule_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a residency rule is gone, or permits fewer kinds of data."""
    if before is None or after is None:
        return after is None
    same = all(before[name] == after[name] for name in before.keys() - {"data_categories"})
    return same and _fewer(before["data_categories"], after["data_categories"])


def _fewer(old: list[str], new: list[str]) -> bool:
    return _ALL in old or set(new) <= set(old)


def instrument_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether an instrument ends sooner, and is otherwise the same."""
    if before is None or after is None:
        return False
    same = all(before[name] == after[name] for name in before.keys() - {"valid_until"})
    return same and _sooner(before["valid_until"], after["valid_until"])


def _sooner(old: Any, new: Any) -> bool:
    return bool(new is not None and (old is None or new <= old))


def category_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a category of data becomes sensitive: then it needs explicit consent."""
    return before is None and after is not None


REGISTERS = (
    Register(
        name="sensitive_category",
        title="Sensitive category",
        model=SensitiveCategory,
        key=("slug",),
        narrows=category_narrows,
    ),
    Register(name="jurisdiction", title="Jurisdiction", model=Jurisdiction, key=("slug",)),
    Register(name="region", title="Region", model=Region, key=("code",)),
    Register(name="processing_region", title="Processing region", model=ProcessingRegion, key=("slug",)),
    Register(
        name="transfer_instrument",
        title="Transfer instrument",
        model=TransferInstrument,
        key=("slug",),
        narrows=instrument_narrows,
    ),
    Register(name="residency_rule", title="Residency rule", model=ResidencyRule, key=("slug",), narrows=rule_narrows),
)
