"""Descriptors of the registers that hold rules as data: laws, regions, residency, sensitive kinds, display, ranking."""

from typing import Any

from oversight.registers import Document, Register
from policies.models import (
    DisplayRule,
    FrequencyCap,
    Jurisdiction,
    MaskRule,
    PriceRule,
    ProcessingRegion,
    RankingRule,
    Region,
    ResidencyRule,
    SensitiveCategory,
    TransferInstrument,
)

_ALL = "*"
_NO_RANKING: Document = RankingRule().document()
_USING_PEOPLE = {"serves_visitors", "segment_list", "tried_share"}


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


def display_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a rule of display hides more, and nothing less; of regions only what the names say.

    A first rule about a flag takes the flag out of those that are hidden from everybody, so it may show more.
    """
    if before is None or after is None:
        return after is not None and after["effect"] == "hide" and (after["promotions_only"] or not after["item_flags"])
    if _speaks_elsewhere(before, after):
        return False
    return (
        set(before["item_categories"]) <= set(after["item_categories"])
        and all(before[name] == after[name] for name in ("effect", "item_flags"))
        and (before["promotions_only"] or not after["promotions_only"])
        and all(_covers(before[name], after[name]) for name in ("age_bands", "regions", "purposes"))
        and (after["from_day"] is None or _sooner(before["from_day"], after["from_day"]))
        and (after["until_day"] is None or _sooner(after["until_day"], before["until_day"]))
    )


def _speaks_elsewhere(before: Document, after: Document) -> bool:
    """Return whether a rule that takes flags out of those hidden from everybody does so somewhere new."""
    if after["effect"] == "hide" and (after["promotions_only"] or not after["item_flags"]):
        return False
    where = ("regions", "purposes", "from_day", "until_day", "promotions_only")
    return any(before[name] != after[name] for name in where)


def _covers(old: list[str], new: list[str]) -> bool:
    """Return whether a condition is met by all who met it before; an empty one is met by everybody."""
    return not new or (bool(old) and set(old) <= set(new))


def ranking_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a rule of ranking uses less of people than before."""
    was, becomes = ({**_NO_RANKING, **(each or {})} for each in (before, after))
    return (was["serves_visitors"] or not becomes["serves_visitors"]) and (
        becomes["segment_list"] in (was["segment_list"], _NO_RANKING["segment_list"])
        and becomes["tried_share"] <= was["tried_share"]
        and all(was[name] == becomes[name] for name in _NO_RANKING.keys() - _USING_PEOPLE)
    )


def price_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a rule of prices only lowers its bounds: a new one may permit, and one that goes was a bound."""
    if before is None or after is None:
        return False
    same = all(before[name] == after[name] for name in ("regions", "purposes"))
    return same and all(after[name] <= before[name] for name in ("most_below", "most_above"))


def cap_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a cap lets the same or more purposes show less; a new one only adds to those there are."""
    if before is None or after is None:
        return after is not None
    is_same = before["about"] == after["about"] and _covers(before["purposes"], after["purposes"])
    return is_same and bool(after["most"] <= before["most"] and after["days"] >= before["days"])


def mask_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a rule of masking masks the same or more, for the same people or more."""
    if before is None or after is None:
        return after is not None
    conditions = ("age_bands", "regions", "purposes")
    masks_as_much = set(before["item_fields"]) <= set(after["item_fields"])
    return masks_as_much and all(_covers(before[name], after[name]) for name in conditions)


def _save_checked(rule: Any, _created: bool) -> None:
    rule.full_clean(validate_unique=False)
    rule.save()


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
    Register(
        name="display_rule",
        title="Rule of display",
        model=DisplayRule,
        key=("slug",),
        narrows=display_narrows,
        save=_save_checked,
    ),
    Register(
        name="ranking_rule",
        title="Rule of ranking",
        model=RankingRule,
        key=("purpose",),
        narrows=ranking_narrows,
        save=_save_checked,
    ),
    Register(
        name="frequency_cap",
        title="Frequency cap",
        model=FrequencyCap,
        key=("slug",),
        narrows=cap_narrows,
        save=_save_checked,
    ),
    Register(
        name="mask_rule",
        title="Rule of masking",
        model=MaskRule,
        key=("slug",),
        narrows=mask_narrows,
        save=_save_checked,
    ),
    Register(
        name="price_rule",
        title="Rule of prices",
        model=PriceRule,
        key=("slug",),
        narrows=price_narrows,
        save=_save_checked,
    ),
)
