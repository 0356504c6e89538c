"""Who may judge an output: independent of the verdict before, and, where two are demanded, of the model's authors."""

from collections.abc import Iterable

from common import actors
from model_registry.documents.models import Document
from model_registry.models import ModelVersion
from model_registry.reviews.models import Review, Verdict
from model_registry.reviews.problems import ReviewerNotIndependent
from oversight.models import Change
from oversight.officers import provenance, single


def authors(version: ModelVersion | None) -> set[int]:
    """Return the accounts that wrote a version's documents, or proposed what it may do or its approval."""
    if version is None:
        return set()
    wrote = Document.objects.filter(version=version, author__isnull=False).values_list("author_id", flat=True)
    about = Change.objects.filter(
        register__in=("model_permissions", "model_status"), key=f"{version.model.slug}/{version.version}"
    )
    proposed = about.filter(set__author__isnull=False).values_list("set__author_id", flat=True)
    return {*wrote, *proposed}


def refuse_unfit(review: Review, before: Iterable[Verdict], *, actor: str) -> list[int]:
    """Return the trail's positions that show a reviewer to be independent. Raises ReviewerNotIndependent."""
    account = actors.account_of(actor)
    if account is None:
        raise ReviewerNotIndependent("Only an officer signed in with an account may judge an output.")
    others = [verdict.account_id for verdict in before]
    if account in others:
        raise ReviewerNotIndependent("You have judged this output. Another reviewer has to do it too.")
    if not needs_two(review):
        return []
    wrote = authors(review.version)
    if account in wrote:
        raise ReviewerNotIndependent("You are an author of this model. Another reviewer has to judge its output.")
    return _independent_of({*others, *wrote}, account)


def needs_two(review: Review) -> bool:
    """Return whether two reviewers judge an output; an installation with one officer has no second."""
    return review.four_eyes and not single.is_single()


def _independent_of(others: Iterable[int], account: int) -> list[int]:
    positions: set[int] = set()
    for other in sorted(others):
        judged = provenance.independent(other, account)
        if not judged.is_independent:
            raise ReviewerNotIndependent(judged.why)
        positions.update(judged.positions)
    return sorted(positions)
