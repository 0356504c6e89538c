"""Arithmetic of personal prices: bounds in per cent of a list price, in whole cents, never beyond."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Bounds:
    """How far a price may be below and above the list price, in per cent; at first not at all."""

    most_below: int = 0
    most_above: int = 0

    @classmethod
    def of(cls, said: Iterable[Mapping[str, Any]]) -> "Bounds":
        """Return the narrowest of all bounds that a decision names; none named: none permitted."""
        bounds = list(said)
        if not bounds:
            return cls()
        return cls(
            min(_percent(each, "most_below") for each in bounds), min(_percent(each, "most_above") for each in bounds)
        )

    @property
    def is_open(self) -> bool:
        return bool(self.most_below or self.most_above)

    def lowest(self, listed: Decimal) -> Decimal:
        return (listed * (100 - self.most_below) / 100).quantize(_CENT, ROUND_CEILING)

    def highest(self, listed: Decimal) -> Decimal:
        return (listed * (100 + self.most_above) / 100).quantize(_CENT, ROUND_FLOOR)

    def keep(self, wanted: Decimal, listed: Decimal) -> Decimal:
        """Return the price that is nearest to the wanted one within the bounds."""
        return min(max(wanted.quantize(_CENT, ROUND_HALF_EVEN), self.lowest(listed)), self.highest(listed))


def _percent(said: Mapping[str, Any], name: str) -> int:
    """Return a percentage; what cannot be read permits nothing."""
    value = said.get(name)
    return value if type(value) is int and 0 <= value <= 100 else 0
