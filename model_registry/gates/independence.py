"""Who may approve a document: independent of its author, or of those who approved what counts together with it."""

from collections.abc import Iterator

from common import actors
from model_registry.documents.models import Document
from model_registry.gates import reviewing
from model_registry.gates.found import gather
from oversight.officers import provenance, single
from oversight.problems import ChangeRefused, SecondOfficerNeeded


def refuse_unfit(row: Document, role: str, actor: str) -> list[int]:
    """Return the trail's positions that show a reviewer to be independent. Raises ChangeRefused, SecondOfficerNeeded.

    An installation with one officer has no second.
    """
    account = actors.account_of(actor)
    if account is None:
        raise ChangeRefused("Only an officer signed in with an account may approve a document.")
    if single.is_single():
        return []
    positions: set[int] = set()
    for other, why in _others(row, role):
        if other == account:
            raise SecondOfficerNeeded(why)
        judged = provenance.independent(other, account)
        if not judged.is_independent:
            raise SecondOfficerNeeded(judged.why)
        positions.update(judged.positions)
    return sorted(positions)


def _others(row: Document, role: str) -> Iterator[tuple[int, str]]:
    """Yield the accounts that a reviewer has to be independent of, with what is said to one who is the same."""
    found = gather(row.version)
    if row.author_id is not None:
        yield row.author_id, "You wrote this document. Another officer has to approve it."
    else:
        for review in reviewing.standing(row, found.reviews).approvals:
            if review.account_id is not None:
                yield (
                    review.account_id,
                    "You have approved it. It has no officer as its author: another has to, too.",
                )
    asked, are_separate = reviewing.asked_of(found.demands)
    if not are_separate or role not in asked:
        return
    for other, said in reviewing.by_role(found.documents.values(), found.reviews).items():
        if other != role and other in asked:
            why = f"You have approved for the role {other}. Another officer approves for {role}."
            yield from ((review.account_id, why) for review in said.approvals if review.account_id is not None)
