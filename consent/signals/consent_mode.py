"""Google Consent Mode v2: signals for Google's tags, from choices made here or a TC string.

A signal starts denied. It is granted only if a choice that governs it was granted and none refused, and an
opt-out of sale or sharing takes the advertising signals back. Nothing here turns a refusal into a grant.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class State(StrEnum):
    GRANTED = "granted"
    DENIED = "denied"


SIGNALS = (
    "ad_storage",
    "analytics_storage",
    "ad_user_data",
    "ad_personalization",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
)
ADVERTISING = frozenset({"ad_storage", "ad_user_data", "ad_personalization"})

# Purposes of the demonstration and terms of the Data Privacy Vocabulary (DPV 2), which officers may use as slugs.
GOVERNED: Mapping[str, tuple[str, ...]] = {
    "advertising": ("ad_storage", "ad_user_data"),
    "personalised_advertising": ("ad_storage", "ad_user_data", "ad_personalization"),
    "analytics": ("analytics_storage",),
    "personalization": ("personalization_storage",),
    "recommendations": ("personalization_storage",),
    "functionality": ("functionality_storage",),
    "security": ("security_storage",),
    "dpv:Advertising": ("ad_storage", "ad_user_data"),
    "dpv:TargetedAdvertising": ("ad_storage", "ad_user_data", "ad_personalization"),
    "dpv:PersonalisedAdvertising": ("ad_storage", "ad_user_data", "ad_personalization"),
    "dpv:Personalisation": ("personalization_storage",),
    "dpv:ServicePersonalisation": ("personalization_storage",),
    "dpv:ServiceUsageAnalytics": ("analytics_storage",),
    "dpv:ServiceProvision": ("functionality_storage",),
    "dpv:EnforceSecurity": ("security_storage",),
}
# Each signal needs all of its purposes: 1 storage, 3 and 4 personalised advertising, 7 its measurement.
_TCF_PURPOSES: Mapping[str, frozenset[int]] = {
    "ad_storage": frozenset({1}),
    "ad_user_data": frozenset({1, 7}),
    "ad_personalization": frozenset({3, 4}),
}


def from_choices(
    choices: Mapping[str, bool], *, governed: Mapping[str, Iterable[str]] = GOVERNED, opt_out: bool = False
) -> dict[str, State]:
    """Return all seven signals for what was granted (True) or refused (False), purpose by purpose.

    ``governed`` says which signals a purpose stands for; an unknown purpose grants nothing.
    """
    granted = _signals(governed, [purpose for purpose, choice in choices.items() if choice is True])
    refused = _signals(governed, [purpose for purpose, choice in choices.items() if choice is not True])
    return _states(granted - refused, opt_out=opt_out)


def from_tcf(purposes: Iterable[int], *, opt_out: bool = False) -> dict[str, State]:
    """Return all seven signals for the purposes consented to in a TC string, which covers advertising only."""
    consented = set(purposes)
    return _states({name for name, needed in _TCF_PURPOSES.items() if needed <= consented}, opt_out=opt_out)


def restrict(state: Mapping[str, str], by: Mapping[str, str]) -> dict[str, State]:
    """Return the signals that both grant: a later or other source may take away and never add."""
    both = {name for name in SIGNALS if state.get(name) == by.get(name) == State.GRANTED}
    return _states(both, opt_out=False)


def _signals(governed: Mapping[str, Iterable[str]], purposes: Iterable[str]) -> set[str]:
    return {name for purpose in purposes for name in governed.get(purpose, ())}


def _states(granted: set[str], *, opt_out: bool) -> dict[str, State]:
    allowed = granted - ADVERTISING if opt_out else granted
    return {name: State.GRANTED if name in allowed else State.DENIED for name in SIGNALS}
