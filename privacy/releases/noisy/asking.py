"""What a release of noisy tables is asked to be; its error and its cost, which follow from that alone, not from data.

The budget of a data set pays, in the window of the day on which the noise is drawn. Tables that were uploaded have no
data set of the register: officers make budgets for the people they are about, named ``tables-...``. All releases of
one table are paid by one budget, else two budgets would together give away more than either says.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from privacy.anonymisation.errors import AnonymisationError
from privacy.budgets import composition, estimates, ledger, mechanisms
from privacy.budgets.descriptors import OF_TABLES
from privacy.budgets.mechanisms import Gaussian, Mechanism
from privacy.budgets.noise import UnusablePrivacyParameter
from privacy.models import Statistic, TableRelease, UploadedTable
from privacy.releases import gate
from privacy.releases.asking import check_receivers
from privacy.releases.noisy.domains import Domain, parse
from privacy.releases.problems import AskedWrongly

MOST_TABLES = 20
MOST_CELLS = 200_000
MOST_ROWS_EACH = 1_000
_THOUSAND = 1_000
_SPENT_ON = "noisy-tables"


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Counts under differential privacy. ``tables``: the columns of each; ``domains``: public values of each column.

    ``data_set``: whose budget pays. ``rows_each``: so many rows of a person count, whom the column ``person`` names;
    without one each row is one person's.
    """

    data_set: str
    mechanism: str
    epsilon: str
    tables: tuple[tuple[str, ...], ...]
    domains: Mapping[str, str]
    person: str | None = None
    rows_each: int = 1


@dataclass(frozen=True, kw_only=True)
class NoisyAsked:
    """A release of noisy tables as an officer asks for it."""

    noise: Noise
    purpose: str
    receivers: tuple[str, ...]
    people: str
    region: str
    days: int
    reason: str = ""

    @classmethod
    def of(cls, release: TableRelease) -> "NoisyAsked":
        said = release.asked
        noise = said["noise"]
        tables = tuple(tuple(names) for names in noise["tables"])
        return cls(**{**said, "receivers": tuple(said["receivers"]), "noise": Noise(**{**noise, "tables": tables})})

    @property
    def details(self) -> dict[str, Any]:
        """Return what the trail says of it."""
        paid = {"epsilon": self.noise.epsilon, "data_set": self.noise.data_set}
        return {**paid, "purpose": self.purpose, "receivers": list(self.receivers)}

    @property
    def domains(self) -> dict[str, Domain]:
        """Return the public values of each column that a table has. Raises UnusableColumn."""
        used = dict.fromkeys(name for names in self.noise.tables for name in names)
        return {name: parse(name, self.noise.domains.get(name, "")) for name in used}

    @property
    def epsilon(self) -> Decimal:
        return Decimal(self.noise.epsilon)

    def facts(self) -> gate.Facts:
        """Return what the policy is asked: nothing of it comes from the data."""
        return gate.Facts(
            kind="noisy",
            k=0,
            l=0,
            t=_THOUSAND,
            epsilon=math.ceil(self.epsilon * _THOUSAND),
            has_sensitive=False,
            purpose=self.purpose,
            receivers=self.receivers,
            people=self.people,
            region=self.region,
            days=self.days,
            smallest_overlap=None,
        )

    def check(self, table: UploadedTable) -> None:
        """Raise AskedWrongly for what makes no sense, or names what no register knows."""
        check_receivers(self.purpose, self.receivers, self.days)
        try:
            self._check_noise(table)
            Plan.of(self)
        except AnonymisationError as refused:
            raise AskedWrongly(str(refused)) from None
        except (UnusablePrivacyParameter, ledger.NoBudget) as refused:
            raise AskedWrongly(getattr(refused, "detail", str(refused))) from None

    def _check_noise(self, table: UploadedTable) -> None:
        noise, names = self.noise, [column["name"] for column in table.columns]
        if not _is_cost(noise.epsilon):
            raise AskedWrongly("Epsilon is a number above 0, with at most 4 decimal places.", field="epsilon")
        if noise.mechanism not in Statistic.Mechanism.values:
            raise AskedWrongly(f"There is no noise “{noise.mechanism}”: {', '.join(Statistic.Mechanism.values)}.")
        if not 1 <= len(noise.tables) <= MOST_TABLES or not all(noise.tables):
            raise AskedWrongly(f"Name 1 to {MOST_TABLES} tables, each by its columns.", field="tables")
        for each in noise.tables:
            if unknown := [name for name in each if name not in names]:
                said = f"The table has no column “{unknown[0]}”. It has: {', '.join(names)}."
                raise AskedWrongly(said, field="tables")
            if len(set(each)) != len(each) or noise.person in each:
                said = "A table has each column once, and never the one that names the person."
                raise AskedWrongly(said, field="tables")
        if not 1 <= noise.rows_each <= MOST_ROWS_EACH or (noise.person is None and noise.rows_each != 1):
            said = f"1 to {MOST_ROWS_EACH:,} rows of a person count; 1 where no column names the person."
            raise AskedWrongly(said, field="rows_each")
        if noise.person is not None and noise.person not in names:
            raise AskedWrongly(f"The table has no column “{noise.person}”.", field="person")
        self._check_budget(table)

    def _check_budget(self, table: UploadedTable) -> None:
        """Refuse a second budget for one table, and any but its own for the rows of a data set."""
        if not may_pay(self.noise.data_set, table):
            raise AskedWrongly(
                f"Tables of the data set “{table.source}” are paid by its budget, and by no other."
                if table.source
                else f"An uploaded table is paid by a budget whose name begins with “{OF_TABLES}”.",
                field="budget",
            )
        earlier = TableRelease.objects.filter(table__sha256=table.sha256, asked__has_key="noise")
        paid = set(earlier.values_list("asked__noise__data_set", flat=True)) - {self.noise.data_set}
        if paid:
            said = f"Noisy tables of this table are paid by the budget of “{min(paid)}”, and by no other."
            raise AskedWrongly(said, field="budget")


def may_pay(budget: str, table: UploadedTable) -> bool:
    """Return whether the budget is one for the people of a table, by its name."""
    return budget == table.source if table.source else budget.startswith(OF_TABLES)


@dataclass(frozen=True)
class Plan:
    """What noisy tables will cost, and how exact they will be: of each table its name, its cells and its margin.

    ``part`` is the noise of one table: the cost is shared out evenly, as one person is in all of them.
    """

    part: Mechanism
    tables: tuple[tuple[str, int, int], ...]
    charge: ledger.Charge

    @classmethod
    def of(cls, asked: NoisyAsked, key: str = "") -> "Plan":
        """Raises UnusableColumn, UnusablePrivacyParameter, NoBudget, AskedWrongly."""
        noise, domains = asked.noise, asked.domains
        delta = ledger.delta_of(noise.data_set)
        whole = mechanisms.of(noise.mechanism, float(asked.epsilon), float(delta))
        part = whole.part(1 / len(noise.tables))
        margin = part.margin(noise.rows_each, estimates.CONFIDENCE)
        sizes = [math.prod(len(domains[name].labels) for name in names) for names in noise.tables]
        if sum(sizes) > MOST_CELLS:
            said = f"The tables have {sum(sizes):,} cells: {MOST_CELLS:,} at most. Use fewer values."
            raise AskedWrongly(said, field="values")
        return cls(
            part,
            tuple((", ".join(names), size, margin) for names, size in zip(noise.tables, sizes, strict=True)),
            ledger.Charge(
                noise.data_set,
                _SPENT_ON,
                key,
                asked.epsilon,
                _curve(whole, float(asked.epsilon), len(noise.tables)),
                delta if isinstance(whole, Gaussian) else Decimal(0),
            ),
        )


def _curve(whole: Mechanism, epsilon: float, number: int) -> composition.Curve:
    if isinstance(whole, Gaussian):
        return composition.concentrated(whole.rho)
    return composition.together([composition.pure(epsilon / number)] * number)


def _is_cost(text: str) -> bool:
    try:
        cost = Decimal(text)
    except InvalidOperation:
        return False
    return cost.is_finite() and 0 < cost < 10_000 and cost == round(cost, 4)
