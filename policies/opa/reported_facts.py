"""Mask for a policy input another server reported: the members of the facts, with known words.

The mirror of ``facts``, which never writes anything else. What is in no vocabulary becomes ``unknown``, unknown members
are left out, and numbers are kept only where they stand for themselves.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from common.levels import LEVELS
from consent.register.part_words import LEVEL
from policies.bundles.loading import LoadedBundle
from policies.decisions.facts import ACTIONS, AGE_BANDS, CHANNELS, SOURCES, UNKNOWN

Mask = Callable[[Any], Any]

_STATES = frozenset(
    {"given", "refused", "withdrawn", "expired", "renewal_required", "never_asked", "not_required", "objected"}
)
_BUDGETS = frozenset({"available", "exhausted"})
_GATES = frozenset({"passed", "failed", "pending"})
_TCF_PURPOSES = frozenset(range(1, 25))
_MAX_LIST = 64


def mask(bundle: LoadedBundle) -> Mask:
    """Return the mask of what a server answered under this revision."""
    residency, purpose = bundle.data["residency"], _word(bundle.purposes)
    category, least = _word(bundle.categories), bundle.data["segment"]["min_size"]
    return _members(
        {
            "action": _word(ACTIONS),
            "purpose": purpose,
            "requested_level": _word(LEVELS),
            "signals": _members(
                {
                    "gpc": _flag,
                    "gpp_opt_out": _flag,
                    "tcf_present": _flag,
                    "tcf_purposes": _list(_number(_TCF_PURPOSES)),
                }
            ),
            "processing": _members(
                {
                    "region": _word(residency["processing"]),
                    "recipient": _word(bundle.recipients),
                    "channel": _word(CHANNELS),
                    "data_categories": _list(category),
                    "sensitive": _list(category),
                    "expired_instruments": _list(_word(residency["instruments"])),
                }
            ),
            "model": _model(bundle),
            "consent": _members(
                {
                    "state": _word(_STATES),
                    "explicit": _flag,
                    "notice_current": _flag,
                    "channel_allowed": _flag,
                    "refused_categories": _list(category),
                    "unagreed_categories": _list(category),
                    "unagreed": _list(_word({*bundle.categories, *bundle.recipients, *CHANNELS, *ACTIONS, LEVEL})),
                    "lifts_signal": _flag,
                    "max_level": _word(LEVELS),
                    "source": _word(SOURCES),
                }
            ),
            "ancestors": _members(dict.fromkeys(bundle.purposes, _word(_STATES))),
            "objection": _flag,
            "restricted": _flag,
            "held": _flag,
            "subject": _members(
                {
                    "region": _word(residency["regions"]),
                    "jurisdiction": _word(bundle.data["jurisdictions"]),
                    "age_band": _word(AGE_BANDS),
                    "known": _flag,
                }
            ),
            "engine": _members({"segment_k": _size(least), "privacy_budget": _word(_BUDGETS)}),
            "time": _members({"quiet_hours": _flag}),
            "idle_display_rules": _list(_word(bundle.data.get("display_rules", {}))),
            "visitor": _flag,
            "unsampled_reviews": _list(_word(bundle.data.get("human_review", {}))),
        }
    )


def _model(bundle: LoadedBundle) -> Mask:
    models = list(bundle.data["models"].values())
    known = _members(
        {
            "id": _word({model["id"] for model in models}),
            "version": _number(frozenset({model["version"] for model in models})),
            # A canary is live for the people it serves.
            "status": _word({"live", *(model["status"] for model in models)}),
            "max_level": _word(LEVELS),
            "purposes": _list(_word(bundle.purposes)),
            "gates": _word(_GATES),
        }
    )
    return lambda value: None if value is None else known(value)


def _members(masks: Mapping[str, Mask]) -> Mask:
    def masked(value: Any) -> dict[str, Any]:
        given = value if isinstance(value, dict) else {}
        return {name: keep(given[name]) for name, keep in masks.items() if name in given}

    return masked


def _list(keep: Mask) -> Mask:
    return lambda value: [keep(item) for item in value[:_MAX_LIST]] if isinstance(value, list) else []


def _word(words: Collection[str]) -> Mask:
    return lambda value: value if value is None or (isinstance(value, str) and value in words) else UNKNOWN


def _number(numbers: frozenset[int]) -> Mask:
    return lambda value: value if type(value) is int and value in numbers else 0


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _size(least: int) -> Mask:
    """Reduce a group's size to whether it reaches the least one: the policy asks no more."""
    return lambda value: max(0, min(value, least)) if type(value) is int else None
