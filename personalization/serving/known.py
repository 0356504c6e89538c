"""What serving knows of a person and of the catalogue, read by the one statement of the decision.

So nothing that is kept in a process is older than the decision: what it was made of names its revision, and the
statement says which revision counts.
"""

from typing import NamedTuple
from uuid import UUID

from psycopg.pq.abc import PGresult

from policies.decisions import information
from policies.decisions.information import Information, InformationUnavailable, Wanted

_TRUE = b"\x01"
STATEMENT = information.statement_with(
    "assent_serving",
    columns=", k.revision, EXISTS (SELECT FROM reviews_output WHERE subject_ref = $2 AND purpose = $4)",
    tables=" LEFT JOIN personalization_cataloguerevision k ON k.id = 1",
    types=[25],  # text
)
_CATALOGUE, _HELD = range(information.WIDTH, information.WIDTH + 2)


class Known(NamedTuple):
    """Information of the decision; revision of the catalogue; whether reviews of outputs about the person are kept."""

    information: Information
    catalogue: int | None = None
    is_held: bool = True


NOTHING = Known(information.NOTHING)


class Asked(NamedTuple):
    """Parameters of one execution of STATEMENT, and the reading of its row."""

    wanted: Wanted
    purpose: str

    def parameters(self) -> tuple[bytes, ...]:
        return *self.wanted.parameters(), self.purpose.encode()

    def known(self, result: PGresult) -> Known:
        """Read the row. Raises msgspec.MsgspecError for one that makes no sense."""
        revision = result.get_value(0, _CATALOGUE)
        return Known(
            self.wanted.information(result),
            None if revision is None else int.from_bytes(revision, "big"),
            result.get_value(0, _HELD) == _TRUE,
        )


def read(subject_ref: UUID, purpose: str, token_hash: bytes = b"", scope: bytes = b"") -> Known:
    """Read what is known, as ``information.read`` does. Raises InformationUnavailable."""
    asked = Asked(Wanted(subject_ref, token_hash, scope), purpose)
    return information.asked(STATEMENT, asked.parameters(), asked.known)


def read_if_possible(subject_ref: UUID, purpose: str) -> Known:
    """Read the same, or NOTHING where the database does not answer."""
    try:
        return read(subject_ref, purpose)
    except InformationUnavailable:
        return NOTHING
