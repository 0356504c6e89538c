"""What an anonymised table has to be, as one value, and whether that makes sense."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from privacy.anonymisation.errors import AnonymisationError, quoted

Diversity = Literal["distinct", "entropy", "recursive"]
_HEAVIEST = 1_000.0
_LARGEST_C = 1_000_000
DIVERSITIES: tuple[Diversity, ...] = get_args(Diversity)


@dataclass(frozen=True)
class Wish:
    """What an anonymised table has to be.

    ``sensitive`` names one column or several: each has to be what is asked. ``l`` counts the values of such a column in
    a class as ``diversity`` says; ``recursive_c`` is the factor of recursive
    (c, l)-diversity. ``t`` limits the distance of their shares from those of the whole table. ``person`` names the
    column by which k counts people instead of rows. ``suppress`` is the share of rows that may be left out where
    keeping them would cost the others more. ``weights`` say what losses of quasi-identifiers count (1 each). ``fast``
    takes a quicker method with a greater loss where only k is asked for.
    """

    k: int
    sensitive: str | tuple[str, ...] | None = None
    l: int = 1  # noqa: E741 - the literature's name
    diversity: Diversity = "distinct"
    recursive_c: float = 3.0
    t: float | None = None
    person: str | None = None
    suppress: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict)
    fast: bool = False

    @property
    def sensitive_columns(self) -> tuple[str, ...]:
        """Return the sensitive columns."""
        return (self.sensitive,) if isinstance(self.sensitive, str) else self.sensitive or ()

    @property
    def roles(self) -> list[str]:
        """Return the columns that are read without being generalised."""
        return [*self.sensitive_columns, *([] if self.person is None else [self.person])]

    def check(self, quasi_identifiers: Sequence[str]) -> None:
        """Raise AnonymisationError unless the question makes sense, whatever the table holds."""
        if self.k < 2:
            raise AnonymisationError(f"k must be at least 2, not {self.k}: a class of one row hides no one.")
        if not quasi_identifiers or len(set(quasi_identifiers)) != len(quasi_identifiers):
            raise AnonymisationError("Name at least one quasi-identifier, and each only once.")
        self._check_conditions()
        if not 0 <= self.suppress < 1:
            raise AnonymisationError(f"The share of rows to suppress is at least 0 and below 1, not {self.suppress}.")
        strange = [
            name
            for name, weight in self.weights.items()
            if name not in quasi_identifiers or not 1 / _HEAVIEST <= weight <= _HEAVIEST
        ]
        if strange:
            raise AnonymisationError(
                f"A weight needs a quasi-identifier and a number from 0.001 to 1,000, unlike {quoted(strange)}."
            )
        given = [*(("sensitive", name) for name in self.sensitive_columns), ("the person's", self.person)]
        for role, name in given:
            if name in quasi_identifiers:
                raise AnonymisationError(f"'{name}' cannot be both {role} and a quasi-identifier.")

    def _check_conditions(self) -> None:
        if len(set(self.sensitive_columns)) != len(self.sensitive_columns):
            raise AnonymisationError("Name each sensitive column only once.")
        if self.l < 1 or ((self.l > 1 or self.t is not None) and not self.sensitive_columns):
            raise AnonymisationError("l and t need a sensitive column; l is 1 or more.")
        if self.t is not None and not 0 <= self.t <= 1:
            raise AnonymisationError(f"t must be between 0 and 1, not {self.t}.")
        if self.diversity not in DIVERSITIES:
            raise AnonymisationError(f"Diversity is one of {quoted(DIVERSITIES)}, not '{self.diversity}'.")
        if not 0 < self.recursive_c <= _LARGEST_C:
            raise AnonymisationError(
                f"The factor c of recursive diversity is above 0 and at most {_LARGEST_C:,}, not {self.recursive_c}."
            )
        if self.person in self.sensitive_columns:
            raise AnonymisationError(f"'{self.person}' cannot be both sensitive and the person's.")
