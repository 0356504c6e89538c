"""What the reviews of documents amount to: whether one is approved, and which roles have approved a version.

A document with an author's account takes one approval, by another officer. One without (it was sent by a service, or
imported by the operator) takes two, by two officers who are independent of each other: who holds a credential is not
known, and may be one of them, but not both (docs/decisions/0059).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from model_registry.documents.models import Document
from model_registry.gates.models import DocumentReview, GateDemand
from oversight.officers import single

Reviews = Mapping[int, Sequence[DocumentReview]]
Verdict, Role = DocumentReview.Verdict, DocumentReview.Role
GATE = "reviews"


@dataclass(frozen=True)
class Standing:
    """Where a revision stands. ``approvals``: since the last refusal, of each reviewer the newest."""

    is_refused: bool
    approvals: Sequence[DocumentReview]
    is_approved: bool


def reviewer(review: DocumentReview) -> int | str:
    """Return who gave a review: the account, or the name where a row has none."""
    return review.account_id if review.account_id is not None else review.actor


def standing(row: Document, reviews: Reviews) -> Standing:
    """Return where a revision stands by its verdicts, in the order in which they were given."""
    given = reviews.get(row.pk, ())
    is_refused = bool(given) and given[-1].verdict == Verdict.REFUSED
    approvals: dict[int | str, DocumentReview] = {}
    for review in given:
        if review.verdict == Verdict.REFUSED:
            approvals.clear()
        else:
            approvals.pop(reviewer(review), None)
            approvals[reviewer(review)] = review
    return Standing(is_refused, list(approvals.values()), _is_enough(row, len(approvals)))


def _is_enough(row: Document, approvals: int) -> bool:
    if row.author_id is not None or not approvals:
        return approvals > 0
    return approvals > 1 or single.is_single()


@dataclass(frozen=True)
class OfRole:
    """What a role said of a version's documents as they are now."""

    approvals: list[DocumentReview] = field(default_factory=list)
    refused: list[DocumentReview] = field(default_factory=list)

    @property
    def reviewers(self) -> set[int | str]:
        return {reviewer(review) for review in self.approvals}


def asked_of(demands: Iterable[GateDemand]) -> tuple[list[str], bool]:
    """Return the roles that demands name together, and whether each needs another officer."""
    own = [demand for demand in demands if demand.gate == GATE]
    named = {role for demand in own for role in demand.roles}
    return [role for role in Role.values if role in named], any(demand.one_role_each for demand in own)


def by_role(documents: Iterable[Document], reviews: Reviews) -> Mapping[str, OfRole]:
    """Return what each role said: of each reviewer and document the newest verdict; a refusal stands until then."""
    found: dict[str, OfRole] = defaultdict(OfRole)
    for row in documents:
        newest = {(review.role, reviewer(review)): review for review in reviews.get(row.pk, ())}
        for (role, _who), review in newest.items():
            kept = found[role].refused if review.verdict == Verdict.REFUSED else found[role].approvals
            kept.append(review)
    return found


def has_one_each(reviewers: Sequence[Collection[int | str]], taken: frozenset[int | str] = frozenset()) -> bool:
    """Return whether each of some roles can have a reviewer of its own."""
    if not reviewers:
        return True
    return any(has_one_each(reviewers[1:], taken | {one}) for one in reviewers[0] if one not in taken)
