"""Descriptor of the register that marks outputs for review."""

from typing import Any

from common.levels import LEVELS
from consent.models import DataCategory
from model_registry.reviews.models import ReviewRule
from oversight.problems import ChangeRefused
from oversight.registers import Document, Register


def narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether more is reviewed, or by more eyes, and nothing less."""
    if after is None or not after["is_active"]:
        return False
    if before is None or not before["is_active"]:
        return before is None or {**before, "is_active": True} == after
    return all(
        (
            after["purpose"] in (None, before["purpose"]),
            after["category"] in ("", before["category"]),
            LEVELS[after["from_level"]] <= LEVELS[before["from_level"]],
            (after["confidence_below"] or 101) >= (before["confidence_below"] or 101),
            after["share"] >= before["share"],
            after["four_eyes"] >= before["four_eyes"],
            after["due_hours"] <= before["due_hours"],
            after["serve_hours"] <= before["serve_hours"],
        )
    )


def _save(rule: Any, _created: bool) -> None:
    if rule.category and not DataCategory.objects.filter(slug=rule.category).exists():
        raise ChangeRefused(f"There is no data category “{rule.category}”.")
    rule.full_clean(validate_unique=False)
    rule.save()


REVIEW_RULE = Register(
    name="review_rule",
    title="Rule of review",
    model=ReviewRule,
    key=("slug",),
    keeps=True,
    is_local=True,
    narrows=narrows,
    save=_save,
)
