"""What serving knows of a person and of the catalogue, read by the one statement of the decision.

So nothing that is kept in a process is older than the decision: what it was made of names its revision, and the
statement says which revision counts.
"""

from typing import NamedTuple
from uuid import UUID

from psycopg.pq.abc import PGresult

from common.postgres.prepared import PreparedStatement
from personalization.serving import features
from personalization.serving.features import Features
from policies.decisions import information
from policies.decisions.information import Information, InformationUnavailable, Wanted

_TRUE = b"\x01"
STATEMENT = information.statement_with(
    "assent_serving",
    columns=""", k.revision, EXISTS (SELECT FROM reviews_output WHERE subject_ref = $2 AND purpose = $4),
       f.recent, CASE WHEN $5 = 'individual' THEN f.older END, f.older IS NOT NULL""",
    tables="""
LEFT JOIN personalization_cataloguerevision k ON k.id = 1
LEFT JOIN personalization_onlinefeatures f
  ON f.subject_ref = $2 AND f.purpose = $4 AND $5 IN ('behavioral', 'contextual', 'individual')""",
    types=[25, 25],  # text
)
_CATALOGUE, _HELD, _RECENT, _OLDER, _HAS_OLDER = range(information.WIDTH, information.WIDTH + 5)


class Known(NamedTuple):
    """Information of the decision, and the rest.

    ``catalogue`` is the catalogue's revision. ``is_held``: reviews of outputs about the person are kept. ``features``
    are there where a personal level was asked for; whether they may be looked at is the decision's to say.
    """

    information: Information
    catalogue: int | None = None
    is_held: bool = True
    features: Features = features.NONE


NOTHING = Known(information.NOTHING)


class Asked(NamedTuple):
    """Parameters of one execution of STATEMENT, and the reading of its row."""

    wanted: Wanted
    purpose: str
    level: str

    @property
    def statement(self) -> PreparedStatement:
        return STATEMENT

    def parameters(self) -> tuple[bytes, ...]:
        return *self.wanted.parameters(), self.purpose.encode(), self.level.encode()

    def known(self, result: PGresult) -> Known:
        """Read the row. Raises msgspec.MsgspecError for one that makes no sense."""
        value = result.get_value
        revision = value(0, _CATALOGUE)
        return Known(
            self.wanted.known(result),
            None if revision is None else int.from_bytes(revision, "big"),
            value(0, _HELD) == _TRUE,
            Features(value(0, _RECENT), value(0, _OLDER), value(0, _HAS_OLDER) == _TRUE),
        )


def read_if_possible(subject_ref: UUID, purpose: str, level: str) -> Known:
    """Read what is known, as ``information.read`` does, or NOTHING where the database does not answer."""
    asked = Asked(Wanted(subject_ref), purpose, level)
    try:
        return information.asked(STATEMENT, asked.parameters(), asked.known)
    except InformationUnavailable:
        return NOTHING
