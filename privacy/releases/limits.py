"""Register of the limits of disclosure: one row, changed by change set, read by policies and by public counts."""

from typing import Any

from oversight.problems import ChangeRefused
from oversight.registers import Document, Register
from privacy.models import DisclosureLimits
from privacy.models.releases import FLOOR, LIMITS

_AT_LEAST = ("smallest_group", "k_at_least", "l_at_least", "overlap_at_least")
_WARNED = ("overlap", "person_key")
_AT_MOST = ("t_at_most", "epsilon_at_most", "inferred_at_most", "singled_out_at_most", "days_at_most")


def narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether less may leave after the change, in every respect."""
    if before is None or after is None:
        return False
    is_more = all(after[name] >= before[name] for name in _AT_LEAST)
    is_less = all(after[name] <= before[name] for name in _AT_MOST)
    return is_more and is_less and all(after[name] in (before[name], "refuse") for name in _WARNED)


def save(limits: Any, _created: bool) -> None:
    """Save the limits. Raises ChangeRefused below the floor."""
    if limits.slug != LIMITS:
        raise ChangeRefused("There is one row of limits.")
    if limits.smallest_group < FLOOR:
        raise ChangeRefused(f"The smallest group has at least {FLOOR} people under every policy.")
    limits.save()


DISCLOSURE = Register(
    name="disclosure_limits",
    title="Limits of disclosure",
    model=DisclosureLimits,
    key=("slug",),
    keeps=True,
    in_emergency=False,
    narrows=narrows,
    save=save,
)


def in_force() -> DisclosureLimits:
    """Return the limits in force; those of a new installation where there is no row."""
    return DisclosureLimits.objects.first() or DisclosureLimits()


def smallest_group() -> int:
    """Return the people that a group needs to be counted in public."""
    return in_force().smallest_group


def document() -> dict[str, Any]:
    """Return the limits as policies read them."""
    limits = in_force()
    return {name: getattr(limits, name) for name in (*_AT_LEAST, *_AT_MOST, *_WARNED)}
