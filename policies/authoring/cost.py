"""Worst-case cost of a policy, measured before it is published: in a child, over large fact sheets.

In service an evaluation is ended after ``ENGINE_TIMEOUT_MS``; a policy that comes near that is refused here, while its
author is still at work.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any

from common.levels import LEVELS
from policies.decisions.facts import ACTIONS, AGE_BANDS, CHANNELS, SOURCES

MAX_MS = 50
SHEETS = 64
_STATES = ("given", "refused", "withdrawn", "expired", "renewal_required", "never_asked", "not_required")
_TCF_PURPOSES = list(range(1, 25))
_MAX_CATEGORIES = 64  # as many as a question may name


def sheets(data: Mapping[str, Any], count: int = SHEETS) -> list[dict[str, Any]]:
    """Return fact sheets over a register: the first with all a sheet can hold, the others at random from a fixed seed.

    Nothing stands against every other one, so that rules about permits are reached as well.
    """
    chance = random.Random(4711)  # noqa: S311 (which combinations are tried)
    return [_sheet(data, chance, is_full=number == 0, is_calm=number % 2 == 1) for number in range(count)]


def _sheet(data: Mapping[str, Any], chance: random.Random, *, is_full: bool, is_calm: bool) -> dict[str, Any]:
    def one(values: Any) -> Any:
        return chance.choice(sorted(values) or [None])

    def some(values: Any) -> list[Any]:
        every = sorted(values)[:_MAX_CATEGORIES]
        if is_calm:
            return []
        return every if is_full else chance.sample(every, chance.randint(0, len(every)))

    def flag() -> bool:
        return not is_full and not is_calm and chance.random() < 0.3

    purposes, residency = data.get("purposes", {}), data.get("residency", {})
    categories = {name for purpose in purposes.values() for name in purpose.get("data_categories", [])}
    sensitive = data.get("sensitive_categories", [])
    recipients = {name for purpose in purposes.values() for name in purpose.get("recipients", [])}
    region, purpose = one(residency.get("regions", {})), one(purposes)
    actions = purposes[purpose].get("actions") or ACTIONS if purpose else ACTIONS
    return {
        "action": one(actions),
        "purpose": purpose,
        "requested_level": "individual" if is_full or is_calm else one(LEVELS),
        "signals": {
            "gpc": flag(),
            "gpp_opt_out": flag(),
            "tcf_present": True,
            "tcf_purposes": some(_TCF_PURPOSES),
        },
        "processing": {
            "region": one(residency.get("processing", {})),
            "recipient": None if is_full or is_calm else one([*recipients, ""]) or None,
            "channel": one(CHANNELS),
            "data_categories": some({*categories, *sensitive}),
            "sensitive": some(sensitive),
            "expired_instruments": some(residency.get("instruments", {})),
        },
        "model": None if is_calm else _model(data, chance),
        "consent": {
            "state": "given" if is_full or is_calm else one(_STATES),
            "explicit": is_full or flag(),
            "notice_current": not flag(),
            "channel_allowed": not flag(),
            **_left_out(some(categories), some),
            "lifts_signal": flag(),
            "max_level": "individual" if is_full or is_calm else one(LEVELS),
            "source": one(SOURCES),
        },
        "ancestors": {name: "given" if is_full or is_calm else one(_STATES) for name in purposes},
        "objection": flag(),
        "restricted": flag(),
        "held": flag(),
        "subject": {
            "region": region,
            "jurisdiction": residency.get("jurisdiction_of", {}).get(region) or one(data.get("jurisdictions", {})),
            "age_band": "adult" if is_full or is_calm else one(AGE_BANDS),
            "known": not flag(),
        },
        "engine": {"segment_k": 50 if is_calm else chance.randint(0, 50), "privacy_budget": "available"},
        "time": {"quiet_hours": flag()},
    }


def _left_out(refused: list[Any], some: Callable[[Any], list[Any]]) -> dict[str, list[Any]]:
    return {"refused_categories": refused, "unagreed_categories": some(refused), "unagreed": some(refused)}


def _model(data: Mapping[str, Any], chance: random.Random) -> dict[str, Any] | None:
    models = data.get("models", {})
    if not models:
        return None
    known = models[chance.choice(sorted(models))]
    return {name: known.get(name) for name in ("id", "version", "status", "max_level", "purposes", "gates")}
