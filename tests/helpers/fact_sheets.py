"""Fact sheets: the readable cases of ``tests/cases``, random ones, spoilt ones, and what a safe answer is.

``well_formed`` is written from the contract, not from the policy.
"""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import yaml

from policies.bundles.loading import LoadedBundle
from policies.engines import Engine
from tests.helpers.policy_engines import CASES, REGISTER, Facts, bundle_of

BASE = yaml.safe_load((CASES / "base.yaml").read_text())
RANDOM_FACTS = 2_000
SEED = 20_261_121
FACTS = json.dumps(BASE).encode()


def revision(name: str, **changes: Any) -> LoadedBundle:
    """The sample register under another name, its recommendations changed."""
    data = copy.deepcopy(REGISTER) | {"revision": f"sha256:{name}"}
    data["purposes"]["recommendations"] |= changes
    return bundle_of(data)


# Two revisions that answer FACTS with different levels.
GENEROUS, STRICT = revision("generous"), revision("strict", max_level="segment")


def level_of(engine: Engine, bundle: LoadedBundle) -> str | None:
    verdict = engine.evaluate(bundle, FACTS)
    assert verdict.revision == bundle.revision
    return verdict.level


def place_of(facts: Facts, dotted: str) -> tuple[Facts, str]:
    *parents, last = dotted.split(".")
    for parent in parents:
        facts = facts[parent]
    return facts, last


STATES = ["given", "refused", "withdrawn", "expired", "renewal_required", "never_asked", "not_required"]
HOSTILE: list[Any] = [
    None, True, False, 0, -1, 2**53 - 1, 0.5, "", "given", "adult", "true", "*", "\u0000", "ключ", "a" * 300,
    [], ["*"], [None], [[]], {}, {"": {}}, {"state": "given"}, [{"code": 1}],
]  # fmt: skip


def pick(rng: random.Random, *likely: Any, other: list[Any] | None = None) -> Any:
    """Choose the first of ``likely`` about half the time, so that permits stay frequent."""
    return likely[0] if rng.random() < 0.5 else copy.deepcopy(rng.choice([*likely, *(other or [])]))


def some_of(rng: random.Random, pool: list[str], at_most: int) -> list[str]:
    return rng.sample(pool, rng.randint(0, at_most))


def random_model(rng: random.Random) -> Facts | None:
    if rng.random() < 0.5:
        return None
    return {
        "id": "basket",
        "version": 3,
        "status": pick(rng, "live", "canary", "draft", "suspended", "retired", "unknown"),
        "max_level": pick(rng, "individual", "none", "segment", "behavioral", "nonsense"),
        "purposes": pick(rng, list(REGISTER["purposes"]), [], ["recommendations"]),
        "gates": pick(rng, "passed", "failed", "pending"),
    }


def random_categories(rng: random.Random) -> Facts:
    refused = some_of(rng, ["views", "purchases"], 1) if rng.random() < 0.2 else []
    unagreed = {"unagreed": some_of(rng, ["share", "views", "level"], 2)} if rng.random() < 0.2 else {}
    return {"refused_categories": refused, "unagreed_categories": some_of(rng, refused, len(refused)), **unagreed}


def random_facts(rng: random.Random) -> Facts:
    """Draw a well-formed fact sheet, permits and denials mixed."""
    purposes = REGISTER["purposes"]
    purpose = pick(rng, *rng.sample(list(purposes), len(purposes)), "unheard_of")
    entry = purposes.get(purpose, purposes["recommendations"])
    actions = ["personalize", "collect", "share", "train", "release", "price", "contact", "transfer", "dance"]
    categories = [*entry["data_categories"], "health", "religion", "device", "views", "unheard_of"]
    return {
        "action": pick(rng, rng.choice(entry["actions"]), *actions),
        "purpose": purpose,
        "requested_level": pick(rng, "individual", "none", "segment", "behavioral", "contextual", "nonsense"),
        "consent": {
            "state": pick(rng, "given", *STATES),
            "explicit": rng.random() < 0.5,
            "notice_current": rng.random() < 0.9,
            "channel_allowed": rng.random() < 0.9,
            "max_level": pick(rng, "individual", "none", "segment", "behavioral", "nonsense"),
            "lifts_signal": rng.random() < 0.2,
            **random_categories(rng),
            "source": "dashboard",
        },
        "ancestors": {slug: pick(rng, "given", *STATES) for slug in some_of(rng, ["personalization", "x", "y"], 2)},
        "objection": rng.random() < 0.05,
        "restricted": rng.random() < 0.05,
        "held": rng.random() < 0.05,
        "subject": {
            "region": pick(rng, "DE", "GB", "US", "US-CA", "XX"),
            "jurisdiction": pick(rng, "gdpr", "uk-gdpr", "us-ca", "us-co", "us-other", "nowhere"),
            "age_band": pick(rng, "adult", "adult", "minor", "child", "unknown"),
            "known": rng.random() < 0.95,
        },
        "signals": {
            "gpc": rng.random() < 0.3,
            "gpp_opt_out": rng.random() < 0.2,
            "tcf_present": rng.random() < 0.2,
            "tcf_purposes": pick(rng, [5, 6], [], [1, 5]),
        },
        "processing": {
            "region": pick(rng, "eu-central", "us-east", "uk-south", "moon-1"),
            "recipient": pick(rng, "ad-partner", None, "parcel-carrier", "data-broker"),
            "channel": pick(rng, "email", "web", None),
            "data_categories": pick(rng, entry["data_categories"][:2], some_of(rng, sorted(set(categories)), 4)),
            "sensitive": pick(rng, [], some_of(rng, ["views", "purchases", "health"], 2)),
            "expired_instruments": pick(rng, [], some_of(rng, ["eu-us-dpf", "eu-uk-adequacy", "uk-eu-adequacy"], 3)),
        },
        "model": random_model(rng),
        "engine": {
            "segment_k": pick(rng, 41, 20, 19, 0, None),
            "privacy_budget": pick(rng, "available", "exhausted", "unknown"),
        },
        "time": {"quiet_hours": rng.random() < 0.2},
        **({"unsampled_reviews": some_of(rng, ["newsletter", "health", "unsure"], 3)} if rng.random() < 0.4 else {}),
    }


def paths_of(facts: Facts) -> list[str]:
    nested = [f"{name}.{inner}" for name, part in facts.items() if isinstance(part, dict) for inner in part]
    return [*facts, *nested]


def spoil(rng: random.Random, facts: Facts) -> Facts:
    """Remove one part of the sheet, or put something hostile in its place."""
    place, last = place_of(facts, rng.choice(paths_of(facts)))
    if rng.random() < 0.3:
        del place[last]
    else:
        place[last] = copy.deepcopy(rng.choice(HOSTILE))
    return facts


def is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def is_number_or_null(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def is_known_state(value: Any) -> bool:
    return isinstance(value, str) and value in STATES


def is_string_or_null(value: Any) -> bool:
    return value is None or isinstance(value, str)


def is_age_band(value: Any) -> bool:
    return isinstance(value, str) and value in {"adult", "minor", "child", "unknown"}


def is_yes_or_no(value: Any) -> bool:
    return isinstance(value, bool)


def is_list(value: Any) -> bool:
    return isinstance(value, list)


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_ancestors(value: Any) -> bool:
    return isinstance(value, dict) and all(is_known_state(state) for state in value.values())


SHAPE: dict[str, Callable[[Any], bool]] = {
    "action": is_text,
    "purpose": is_text,
    "consent.state": is_known_state,
    "consent.explicit": is_yes_or_no,
    "consent.notice_current": is_yes_or_no,
    "consent.channel_allowed": is_yes_or_no,
    "consent.lifts_signal": is_yes_or_no,
    "consent.refused_categories": is_strings,
    "consent.unagreed_categories": is_strings,
    "consent.max_level": is_text,
    "signals.tcf_present": is_yes_or_no,
    "signals.tcf_purposes": is_list,
    "ancestors": is_ancestors,
    "objection": is_yes_or_no,
    "restricted": is_yes_or_no,
    "held": is_yes_or_no,
    "subject.region": is_text,
    "subject.jurisdiction": is_text,
    "subject.age_band": is_age_band,
    "subject.known": is_yes_or_no,
    "signals.gpc": is_yes_or_no,
    "signals.gpp_opt_out": is_yes_or_no,
    "processing.region": is_text,
    "processing.recipient": is_string_or_null,
    "processing.channel": is_string_or_null,
    "processing.data_categories": is_strings,
    "processing.sensitive": is_strings,
    "processing.expired_instruments": is_strings,
    "engine.segment_k": is_number_or_null,
    "engine.privacy_budget": is_text,
    "time.quiet_hours": is_yes_or_no,
}
MODEL_SHAPE: dict[str, Callable[[Any], bool]] = {
    "model.status": is_text,
    "model.max_level": is_text,
    "model.purposes": is_strings,
    "model.gates": is_text,
}


def has_shape(facts: Facts, dotted: str, right: Callable[[Any], bool]) -> bool:
    try:
        place, last = place_of(facts, dotted)
        return right(place[last])
    except (KeyError, TypeError, IndexError):
        return False


def well_formed(facts: Facts) -> bool:
    shape = SHAPE if facts.get("model", "missing") is None else SHAPE | MODEL_SHAPE
    return all(has_shape(facts, dotted, right) for dotted, right in shape.items())


def refusal_is_stored(facts: Facts) -> bool:
    no = ("refused", "withdrawn")
    state = facts["consent"]["state"]
    broader = facts["ancestors"].values()
    return state in no or (state in ("never_asked", "not_required") and any(each in no for each in broader))


def assert_safe(facts: Facts, answer: dict[str, Any]) -> None:
    assert set(answer) == {
        "revision", "decision", "level", "reasons", "obligations", "legal_basis", "requestable",
    }  # fmt: skip
    nothing_asked = facts.get("action") == "personalize" and facts.get("requested_level") not in LEVELS_ABOVE_NONE
    assert answer["decision"] or answer["reasons"] or nothing_asked, "a denial without a reason"
    assert len({json.dumps(each) for each in answer["reasons"]}) == len(answer["reasons"])
    if answer["decision"]:
        assert well_formed(facts)
        assert not refusal_is_stored(facts)
        assert not answer["requestable"]
        assert (answer["level"] in LEVELS_ABOVE_NONE) == (facts["action"] == "personalize")
        assert {each["code"] for each in answer["reasons"]} <= CAPS
    else:
        assert answer["level"] in ("none", None)


LEVELS_ABOVE_NONE = ["segment", "behavioral", "contextual", "individual"]
CAPS = {
    "minor", "sensitive_without_explicit_consent", "category_not_allowed", "consent_refused",
    "renewal_required",
    "level_capped_by_choice", "level_capped_by_signal", "level_capped_by_jurisdiction",
    "level_capped_by_model", "level_capped_by_purpose",
}  # fmt: skip


def drawn_facts(count: int = RANDOM_FACTS) -> list[Facts]:
    rng = random.Random(SEED)
    sheets = []
    for number in range(count):
        facts = random_facts(rng)
        for _ in range(number % 3 if number % 2 else 0):
            spoil(rng, facts)
        sheets.append(facts)
    return sheets
