"""Consent and opt-out signals of a person's software: GPC, TCF and GPP, read strictly and never raising.

An unreadable signal counts as the strictest answer it could have been.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from consent.signals import gpc as gpc_header
from consent.signals import gpp, tcf
from consent.signals.bits import MAX_TEXT
from consent.signals.problems import InvalidSignal

__all__ = ["InvalidSignal", "Signals", "read"]

_LAST_PURPOSE = 24
_ALL_PURPOSES = frozenset(range(1, _LAST_PURPOSE + 1))
# Strings of at most 32 KiB, so the cache stays below 20 MB; only summaries are kept, never vendor lists.
# Texts are remembered as they came, so these bound the bytes: 512 x 4 KiB and 8 x 32 KiB of each kind.
_REMEMBERED, _USUAL_CHARACTERS = 512, 4_096
_REMEMBERED_LONG = 8  # a batch of 1,000 that shares one decodes it once
# People must be asked again at least every 13 months (TCF policies); a clock of the browser may be ahead by a day.
_OLDEST_MONTHS = 13
_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Signals:
    """Combined meaning of the signals of one request."""

    gpc: bool
    gpp_opt_out: bool
    tcf_purposes: tuple[int, ...]
    """The purposes consented to, ascending; none if any TCF source cannot be read."""
    tcf_present: bool
    """Whether any TCF source was sent at all, readable or not."""
    problems: tuple[str, ...] = ()
    """Which signals could not be read and why, such as ``tcf_truncated``."""


NO_SIGNALS = Signals(gpc=False, gpp_opt_out=False, tcf_purposes=(), tcf_present=False)


@dataclass(frozen=True, slots=True)
class _Gpp:
    """Cached result of a decoded GPP string."""

    opt_out: bool
    purposes: frozenset[int] | None
    problem: str | None = None
    tcf_updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Tcf:
    """Cached result of a decoded TC string."""

    purposes: frozenset[int]
    problem: str | None = None
    updated: datetime | None = None


def read(signals: Mapping[str, object], *, now: datetime | None = None) -> Signals:
    """Read ``gpc``, ``gpp``, ``gpp_opt_out``, ``tcf`` and ``tcf_purposes`` as a caller sends them.

    An absent or null signal says nothing. An unreadable one counts as set, opted out or not consented, and
    is named in ``problems``. Where purposes come from several sources, only those in all of them count.
    """
    if not signals:
        return NO_SIGNALS
    problems: list[str] = []
    is_gpc = _gpc(signals.get("gpc"), problems)
    opts_out = _boolean("gpp_opt_out", signals.get("gpp_opt_out"), problems)
    sources: list[frozenset[int]] = []
    if (text := signals.get("gpp")) is not None:
        found = _in_time_gpp(_summary_of_gpp(text), now or datetime.now(UTC))
        opts_out = opts_out or found.opt_out
        sources += [] if found.purposes is None else [found.purposes]
        problems += [] if found.problem is None else [found.problem]
    if (text := signals.get("tcf")) is not None:
        decoded = _in_time(_summary_of_tcf(text), now or datetime.now(UTC))
        sources.append(decoded.purposes)
        problems += [] if decoded.problem is None else [decoded.problem]
    if (listed := signals.get("tcf_purposes")) is not None:
        sources.append(_purposes(listed, problems))
    return Signals(
        gpc=is_gpc,
        gpp_opt_out=opts_out,
        tcf_purposes=tuple(sorted(frozenset.intersection(*sources))) if sources else (),
        tcf_present=bool(sources),
        problems=tuple(problems),
    )


def _gpc(value: object, problems: list[str]) -> bool:
    """Read the signal as a boolean, as its text, or as the header, where all but ``1`` is absent."""
    if isinstance(value, str):
        return gpc_header.is_set([value]) or value.strip().lower() == "true"
    return _boolean("gpc", value, problems)


def _boolean(name: str, value: object, problems: list[str]) -> bool:
    if value is None or isinstance(value, bool):
        return value is True
    problems.append(f"{name}_not_a_boolean")
    return True


def _purposes(listed: object, problems: list[str]) -> frozenset[int]:
    # By its type True is no purpose, though it is equal to one.
    if (
        isinstance(listed, list | tuple)
        and len(listed) <= _LAST_PURPOSE
        and set(map(type, listed)) <= {int}
        and _ALL_PURPOSES.issuperset(listed)
    ):
        return frozenset(listed)
    problems.append("tcf_purposes_not_purposes")
    return frozenset()


def _summary_of_gpp(text: object) -> _Gpp:
    problem = _unfit(text)
    if not isinstance(text, str) or problem:
        return _Gpp(opt_out=True, purposes=None, problem=f"gpp_{problem}")
    return _remembered_gpp(text) if len(text) <= _USUAL_CHARACTERS else _remembered_long_gpp(text)


def _summary_of_tcf(text: object) -> _Tcf:
    problem = _unfit(text)
    if not isinstance(text, str) or problem:
        return _Tcf(frozenset(), f"tcf_{problem}")
    return _remembered_tcf(text) if len(text) <= _USUAL_CHARACTERS else _remembered_long_tcf(text)


def _unfit(text: object) -> str | None:
    """Return why a value is not even worth a place in the cache."""
    if not isinstance(text, str):
        return "not_a_string"
    return "too_long" if len(text) > MAX_TEXT else None


def _read_gpp(text: str) -> _Gpp:
    try:
        found = gpp.decode(text)
    except InvalidSignal as exc:
        return _Gpp(opt_out=True, purposes=None, problem=f"gpp_{exc.reason}")
    if found.tcf_eu is None:
        return _Gpp(found.opt_out, purposes=None)
    core = found.tcf_eu.core
    return _Gpp(found.opt_out, frozenset(core.consents), tcf_updated=core.updated)


def _read_tcf(text: str) -> _Tcf:
    try:
        core = tcf.decode(text).core
    except InvalidSignal as exc:
        return _Tcf(frozenset(), f"tcf_{exc.reason}")
    return _Tcf(frozenset(core.consents), updated=core.updated)


_remembered_gpp, _remembered_tcf = lru_cache(_REMEMBERED)(_read_gpp), lru_cache(_REMEMBERED)(_read_tcf)
_remembered_long_gpp, _remembered_long_tcf = (
    lru_cache(_REMEMBERED_LONG)(_read_gpp),
    lru_cache(_REMEMBERED_LONG)(_read_tcf),
)


def _in_time(found: _Tcf, now: datetime) -> _Tcf:
    """Return the summary without purposes where the string is too old, or newer than now: nothing else says when."""
    problem = _untimely(found.updated, now)
    return _Tcf(frozenset(), f"tcf_{problem}") if problem else found


def _in_time_gpp(found: _Gpp, now: datetime) -> _Gpp:
    problem = _untimely(found.tcf_updated, now)
    return _Gpp(found.opt_out, frozenset(), f"gpp_tcf_{problem}") if problem else found


def _untimely(updated: datetime | None, now: datetime) -> str | None:
    if updated is None:
        return None
    if updated > now + _AHEAD:
        return "in_the_future"
    return "stale" if now.date() > _months_after(updated, _OLDEST_MONTHS) else None


def _months_after(moment: datetime, months: int) -> date:
    """Return the same day ``months`` later, or the last day of that month where it is shorter.

    Counted forward: a string of 28 February does not last until 31 March because March is longer.
    """
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(moment.day, last))
