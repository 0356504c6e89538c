"""Give a verdict on an output. The one that decides releases it, and answers the person, in the same transaction.

Where two are demanded the second judges without the first verdict: it stands in no page, no note of the work and no
event of the audit trail until both are given. If they differ, the work is escalated and a third verdict decides.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import trail
from common import actors
from model_registry.reviews import work
from model_registry.reviews.models import Output, Review, Verdict, VerdictText
from model_registry.reviews.outputs import holding, sealing
from model_registry.reviews.problems import OutputChanged, ReviewNotOpen, VerdictRefused
from model_registry.reviews.verdicts import reviewers
from oversight.models import WorkItem
from oversight.work import items
from privacy.rights.requests import fulfilling
from privacy.rights.requests.states import State as RequestState

State = Review.State
Content = Mapping[str, Any]
Edit = Callable[[Content], dict[str, Any]]
_STATES = {
    Verdict.Kind.APPROVE: State.APPROVED,
    Verdict.Kind.CHANGE: State.CHANGED,
    Verdict.Kind.REJECT: State.REJECTED,
}
_LAST = 3  # the verdict that decides where two differ
MOST_WORDS = 1_000


def give(pk: UUID, kind: str, *, seen: str, actor: str, reason: str = "", edit: Edit | None = None) -> Review:
    """Give a verdict on the output whose digest was shown; ``edit`` makes the changed content.

    Raises ReviewNotOpen, OutputChanged, VerdictRefused, ReviewerNotIndependent, and NotNow where the work is over.
    """
    _void_altered(pk)
    with transaction.atomic():
        review, output = _locked(pk)
        if seen != review.digest:
            raise OutputChanged("Look at the output again: it is not the one you were shown.")
        item = _claimed(review, actor)
        before = list(review.verdicts.all())
        positions = reviewers.refuse_unfit(review, before, actor=actor)
        content = _checked(review, output, Verdict.Kind(kind), reason, edit)
        verdict = _record(review, output, Verdict.Kind(kind), content, actor, reason, len(before) + 1, positions)
        _conclude(review, [*before, verdict], item, actor, reason)
    return review


def claim(pk: UUID, *, actor: str) -> WorkItem:
    """Take a review over, so that no other reviewer begins it. Raises as ``give``."""
    with transaction.atomic():
        review, _output = _locked(pk)
        reviewers.refuse_unfit(review, review.verdicts.all(), actor=actor)
        return _claimed(review, actor)


def escalate(pk: UUID, *, reason: str, actor: str) -> None:
    """Hand a review to others as urgent, with the reason. Raises VerdictRefused without one."""
    if not reason.strip():
        raise VerdictRefused("Say why another officer has to look.")
    with transaction.atomic():
        review, _output = _locked(pk)
        items.escalate(_claimed(review, actor), actor=actor, note=reason.strip())


def _void_altered(pk: UUID) -> None:
    """End the review of an output that is not the one it was opened about, also where the verdict is refused."""
    output = Output.objects.select_related("review").filter(pk=pk, review__state=State.WAITING).first()
    if output is not None and sealing.intact(output) is None:
        holding.void(pk, Review.Why.ALTERED, actor=actors.job("reviews"))


def _locked(pk: UUID) -> tuple[Review, Output]:
    review = Review.objects.select_for_update(of=("self",)).select_related("version__model").filter(pk=pk).first()
    output = Output.objects.filter(review=review).first() if review else None
    if review is None or output is None or review.state != State.WAITING:
        raise ReviewNotOpen("This output waits for no review any more.")
    output.review = review
    return review, output


def _claimed(review: Review, actor: str) -> WorkItem:
    """Return the open work, as this officer's. Raises ReviewNotOpen where another has it."""
    item = items.find_open(work.REVIEW.slug, str(review.pk))
    if item is None:
        raise ReviewNotOpen("This output waits for no review any more.")
    account = actors.account_of(actor)
    if item.owner_id is None:
        return items.claim(item, actor=actor)
    if item.owner_id != account:
        raise ReviewNotOpen("Another reviewer has this output.")
    return item


def _checked(review: Review, output: Output, kind: Verdict.Kind, reason: str, edit: Edit | None) -> Content | None:
    """Return what may be shown by a verdict: nothing where it is rejected."""
    needs_reason = kind is not Verdict.Kind.APPROVE or review.request_id is not None
    if needs_reason and not reason.strip():
        raise VerdictRefused("Say why, in words that the person may be given.")
    if kind is Verdict.Kind.REJECT:
        return None
    content = sealing.intact(output)
    if content is None:
        raise OutputChanged("The output was altered. It is not shown.")
    if kind is Verdict.Kind.APPROVE:
        return content
    if edit is None:
        raise VerdictRefused("Say what is changed.")
    changed = edit(content)
    if changed == content:
        raise VerdictRefused("Nothing is changed. Approve it, or say what is.")
    return changed


def _record(
    review: Review, output: Output, kind: Verdict.Kind, content: Content | None, actor: str, reason: str, place: int,
    positions: Sequence[int],
) -> Verdict:  # fmt: skip
    account = actors.account_of(actor)
    assert account is not None  # noqa: S101 (``refuse_unfit`` has looked)
    verdict = Verdict.objects.create(
        review=review, place=place, kind=kind, digest=review.digest, actor=str(actor), account_id=account,
        provenance=list(positions),
        result=sealing.digest(content, output) if content is not None else "",
    )  # fmt: skip
    written = {"reason": reason.strip()[:MOST_WORDS], "content": content if kind is Verdict.Kind.CHANGE else None}
    VerdictText.objects.create(verdict=verdict, output=output, sealed=sealing.seal(written, review))
    # Only that there is one: the second reviewer may read the trail.
    details = {"place": place, "digest": review.digest, "provenance": list(positions)}
    trail.record("review.verdict", f"review {review.pk}", actor=actor, details=details)
    return verdict


def _conclude(review: Review, verdicts: Sequence[Verdict], item: WorkItem, actor: str, reason: str) -> None:
    outcome = outcome_of(verdicts, needs_two=reviewers.needs_two(review))
    if outcome is not None:
        _release(review, outcome, item, actor, reason)
    elif len(verdicts) == 1:
        items.hand_on(item, actor=actor, note="One of two verdicts is given.")
    else:
        items.escalate(item, actor=actor, note="Two verdicts differ: a third decides.")


def outcome_of(verdicts: Sequence[Verdict], *, needs_two: bool) -> Verdict | None:
    """Return the verdict that decides; None while another is needed."""
    last = verdicts[-1]
    if len(verdicts) == 1:
        return None if needs_two else last
    first = verdicts[0]
    return last if len(verdicts) == _LAST or (first.kind, first.result) == (last.kind, last.result) else None


def _release(review: Review, verdict: Verdict, item: WorkItem, actor: str, reason: str) -> None:
    review.state, review.decided_at = _STATES[Verdict.Kind(verdict.kind)], timezone.now()
    review.serves_until = review.decided_at + timedelta(hours=review.serve_hours)
    review.save(update_fields=["state", "decided_at", "serves_until"])
    items.finish(item, actor=actor, outcome=review.get_state_display())
    given = [{"place": each.place, "kind": each.kind, "by": each.actor} for each in review.verdicts.all()]
    details = {"verdicts": given, "result": verdict.result, "until": review.serves_until.isoformat()}
    trail.record(f"review.{review.state}", f"review {review.pk}", actor=actor, details=details)
    request = review.request
    if request is not None and request.state == RequestState.IN_PROGRESS:
        fulfilling.verify_by_officer(request.pk, actor=actor, decision=reason.strip())
