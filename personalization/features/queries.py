"""Query of features as of a moment: what was known then, and nothing that came later.

``asked``: person, moment. ``events`` as a training reads them. An event counts from the moment it was received: one
that happened before and came in later was not known. Times are microseconds.
"""

from collections.abc import Sequence

from common.analytics.engine import Query, Type
from personalization.features.definitions import Definition, Kind
from personalization.training_data.queries import number_of

_DAY_US = 86_400_000_000


def as_of(definitions: Sequence[Definition]) -> Query:
    """Return each person's features at each moment asked: NULL is missing, a count of nothing is 0."""
    columns = "".join(f", {_expression(each)} AS {each.column}" for each in definitions)
    return Query(
        f"""
        SELECT a.person, a.moment{columns}
        FROM asked a LEFT JOIN events e ON e.person = a.person AND e.moment < a.moment AND e.received <= a.moment
        GROUP BY a.person, a.moment
        """,  # noqa: S608 (definitions are checked by their register)
        {"person": Type.SMALL, "moment": Type.INTEGER, **{each.column: Type.INTEGER for each in definitions}},
        ("person", "moment"),
    )


def _expression(definition: Definition) -> str:
    counts = f"e.kind IN ({', '.join(str(number_of(kind)) for kind in definition.events)})"
    if definition.window_days is not None:
        counts += f" AND e.moment >= a.moment - {definition.window_days * _DAY_US}"
    if definition.kind == Kind.COUNT:
        return f"sum(CASE WHEN {counts} THEN 1 ELSE 0 END)"
    if definition.kind == Kind.ITEMS:
        return f"count(DISTINCT CASE WHEN {counts} THEN e.item END)"
    return f"quotient(a.moment - max(CASE WHEN {counts} THEN e.moment END), 1000000)"
