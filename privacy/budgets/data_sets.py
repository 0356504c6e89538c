"""Data sets that statistics may be computed of: their rows of people, their groups, and their values.

Which groups there are is public and never comes from the data, so that a group is listed says nothing about who is in
it. Neighbours differ by one whole person, added or removed; of a person with many rows a statistic counts a bounded
number, chosen by a digest of the row alone.

Packages above this one register data sets of their own (``add``) and the public list of regions (``use_regions``).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.db import connection

from consent.models import AgeBand, ConsentRecord, Purpose
from privacy.budgets.estimates import Bounds, Cell

ALL = "all"
Domain = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class DataSet:
    """Rows of people. ``rows`` is a query with the columns ``person`` and ``row``, and one for each group and value.

    ``values``: whole units that a value is counted in, such as 100 for hundredths. ``is_one_each``: no person has two.
    """

    name: str
    title: str
    rows: str
    groups: Mapping[str, Domain] = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)
    is_one_each: bool = False


_regions: list[Domain] = []


def use_regions(listed: Domain) -> None:
    """Name the source of the public list of regions: the register that holds it is in a package above this one."""
    _regions[:] = [listed]


def _listed_regions() -> list[str]:
    return sorted({region for listed in _regions for region in listed()})


def _purposes() -> list[str]:
    return sorted(Purpose.objects.values_list("slug", flat=True))


_GIVEN = """
SELECT count(*) FROM jsonb_each(s.consents) AS c
WHERE position('?' in c.key) = 0 AND c.value->>'s' = 'given'
  AND coalesce((c.value->>'x')::bigint > extract(epoch FROM now()), true)"""
CONSENTS = DataSet(
    name="consents",
    title="People and the consents they have given",
    rows=f"""
SELECT p.*, least(p.given, 1) AS consenting FROM (
  SELECT s.ref AS person, s.ref AS row, s.region AS region, s.age_band AS age_band, ({_GIVEN}) AS given
  FROM consent_datasubject AS s) AS p""",  # noqa: S608 (both parts are constants)
    groups={"region": _listed_regions, "age_band": lambda: AgeBand.values},
    values={"given": 1, "consenting": 1},
    is_one_each=True,
)
CHOICES = DataSet(
    name="choices",
    title="Choices of people about purposes",
    rows="""
SELECT subject_id AS person, id AS row, purpose AS purpose, state AS state,
  (state = 'given')::int AS consenting FROM consent_consentrecord""",
    groups={"purpose": _purposes, "state": lambda: ConsentRecord.State.values},
    values={"consenting": 1},
)
_known = {each.name: each for each in (CONSENTS, CHOICES)}


def add(*data_sets: DataSet) -> None:
    """Register data sets. Called in ``AppConfig.ready()``."""
    _known.update({each.name: each for each in data_sets})


def known() -> dict[str, DataSet]:
    """Return every data set by its name."""
    return dict(_known)


def grouped(data_set: DataSet, group: str, value: str, bounds: Bounds) -> dict[str, Cell]:
    """Return what is known of each public group before noise: its rows, and the sum of their values within bounds.

    Without ``group`` all rows are one. Rows of no public group are left out; who lives in a part of a country that is
    not listed counts for the country.
    """
    if not group:
        (cell,) = _query(data_set, "''", value, bounds).values() or (Cell(),)
        return {ALL: cell}
    found = dict.fromkeys(data_set.groups[group](), Cell())
    for name, cell in _query(data_set, f"kept.{group}", value, bounds).items():
        public = name if name in found else name.partition("-")[0]
        if public in found:
            found[public] = Cell(found[public].rows + cell.rows, found[public].total + cell.total)
    return found


def in_cells(data_set: DataSet, value: str, bounds: Bounds, number: int) -> list[Cell]:
    """Return the rows of each of ``number`` equal cells between the bounds; what lies outside is in the end cells."""
    cell = f"least((kept.amount - {bounds.lower}) * {number} / {bounds.span}, {number - 1})"
    found = _query(data_set, cell, value, bounds)
    return [found.get(str(each), Cell()) for each in range(number)]


def _query(data_set: DataSet, group: str, value: str, bounds: Bounds) -> dict[str, Cell]:
    """Count and sum at most so many rows of each person. Names come from the descriptors in this package alone."""
    scale = data_set.values[value] if value else 0
    amount = f"greatest(least(round(bounded.{value} * {scale})::bigint, %(upper)s), %(lower)s)" if value else "0"
    query = f"""
WITH listed AS ({data_set.rows}), bounded AS (
  SELECT *, row_number() OVER (PARTITION BY person ORDER BY md5(row::text)) AS nth FROM listed),
kept AS (SELECT bounded.*, {amount} AS amount FROM bounded WHERE nth <= %(rows)s)
SELECT ({group})::text, count(*), sum(kept.amount) FROM kept WHERE kept.amount IS NOT NULL GROUP BY 1"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, {"rows": bounds.rows, "lower": bounds.lower, "upper": bounds.upper})
        return {str(name): Cell(rows, int(total)) for name, rows, total in cursor.fetchall() if name is not None}
