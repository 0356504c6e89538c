"""Strictness of laws, field by field, and the strictest rule over several laws.

Stricter: opt-in before opt-out, the higher age, the shorter life of a yes, the longer silence after a no, the shorter
deadline, the lower level, more binding signals, and an unknown age that is a minor's.
"""

from collections.abc import Sequence
from types import MappingProxyType

from consent.register.jurisdictions.pack import SIGNALS, ConsentDefault, Deadline, Pack, rank


def strictest(of: Sequence[Pack], *, slug: str, name: str) -> Pack:
    """Combine laws into one that is at least as strict as each. Raises ValueError without any."""
    if not of:
        raise ValueError("There is no law to choose from.")
    is_opt_in = any(pack.consent_default is ConsentDefault.OPT_IN for pack in of)
    return Pack(
        slug=slug,
        name=name,
        source="; ".join(pack.source for pack in of),
        effective_from=min(pack.effective_from for pack in of),
        regions=(),
        consent_default=ConsentDefault.OPT_IN if is_opt_in else ConsentDefault.OPT_OUT,
        consent_days=min(pack.consent_days for pack in of),
        reask_days=max(pack.reask_days for pack in of),
        age_of_consent=max(highest_age(pack) for pack in of),
        opt_in_below=None if is_opt_in else max(pack.opt_in_below or 0 for pack in of),
        minor_max_level=min((pack.minor_max_level for pack in of), key=rank),
        unknown_age_is_adult=all(pack.unknown_age_is_adult for pack in of),
        answer=min((pack.answer for pack in of), key=_length),
        extension=min((pack.extension for pack in of), key=_length),
        confirm=min((pack.confirm for pack in of if pack.confirm), key=_length, default=None),
        binding_signals=tuple(signal for signal in SIGNALS if any(signal in pack.binding_signals for pack in of)),
        signal_caps=MappingProxyType({s: min((pack.cap(s) for pack in of), key=rank) for s in SIGNALS}),
    )


def laxer_fields(pack: Pack, than: Pack) -> list[str]:
    """Name the fields in which ``pack`` protects less than the other law."""
    holds = {
        "consent_default": _opt_in_until(pack) >= _opt_in_until(than),
        "consent_days": pack.consent_days <= than.consent_days,
        "reask_days": pack.reask_days >= than.reask_days,
        "age_of_consent": _lowest_age(pack) >= highest_age(than),
        "minor_max_level": rank(pack.minor_max_level) <= rank(than.minor_max_level),
        "unknown_age_is_adult": pack.unknown_age_is_adult <= than.unknown_age_is_adult,
        "answer": _length(pack.answer) <= _length(than.answer),
        "extension": _length(pack.extension) <= _length(than.extension),
        "confirm": than.confirm is None
        or (pack.confirm is not None and _length(pack.confirm) <= _length(than.confirm)),
        "binding_signals": set(pack.binding_signals) >= set(than.binding_signals),
        "signal_caps": all(rank(pack.cap(signal)) <= rank(than.cap(signal)) for signal in SIGNALS),
    }
    return [name for name, strict_enough in holds.items() if not strict_enough]


def highest_age(pack: Pack) -> int:
    return max(pack.age_of_consent, *pack.ages_by_region.values(), 0)


def _lowest_age(pack: Pack) -> int:
    return min((pack.age_of_consent, *pack.ages_by_region.values()))


def _opt_in_until(pack: Pack) -> float:
    return float("inf") if pack.consent_default is ConsentDefault.OPT_IN else pack.opt_in_below or 0


def _length(deadline: Deadline) -> int:
    return deadline.least_calendar_days
