"""Verdicts: who may give one, two of them without each other, a third where they differ, and what each leaves."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit import trail
from audit.models import AuditEvent
from common import actors
from model_registry.models import Document
from model_registry.reviews.models import Output, Review, Verdict
from model_registry.reviews.outputs import sealing
from model_registry.reviews.problems import (
    OutputChanged,
    ReviewerNotIndependent,
    ReviewNotOpen,
    VerdictRefused,
)
from model_registry.reviews.verdicts import figures, giving
from model_registry.reviews.work import REVIEW
from oversight.models import WorkItem
from oversight.officers import single
from oversight.work import items
from tests.helpers.registers import make_officer
from tests.personalization.review.conftest import first_half, judge, output_of

pytestmark = pytest.mark.django_db


def item_of(review: Review) -> WorkItem:
    return WorkItem.objects.get(kind="output-review", object=str(review.pk))


@pytest.mark.usefixtures("marked")
def test_a_verdict_says_why_unless_it_approves(waiting: Any, anna: Any) -> None:
    review = waiting()

    for kind in ("reject", "change"):
        with pytest.raises(VerdictRefused, match="Say why"):
            judge(review, kind, anna, reason=" ", edit=first_half)
    with pytest.raises(VerdictRefused, match="Nothing is changed"):
        judge(review, "change", anna, edit=dict)

    assert not Verdict.objects.exists()
    assert item_of(review).state == "open"


@pytest.mark.usefixtures("marked")
def test_a_verdict_is_on_what_was_shown(waiting: Any, anna: Any) -> None:
    review = waiting()

    with pytest.raises(OutputChanged):
        giving.give(review.pk, "approve", seen="0" * 64, actor=anna)

    assert not Verdict.objects.exists()


@pytest.mark.usefixtures("marked")
def test_an_output_altered_before_its_verdict_ends_its_review(waiting: Any, anna: Any) -> None:
    review = waiting()
    content = {**sealing.intact(output_of(review)), "level": "behavioral"}
    Output.objects.filter(pk=review.pk).update(sealed=sealing.seal(content, review))

    with pytest.raises(ReviewNotOpen):
        judge(review, "approve", anna)

    review.refresh_from_db()
    assert (review.state, review.why_void, item_of(review).state) == ("void", "altered", "void")


@pytest.mark.usefixtures("marked")
def test_only_an_account_judges(waiting: Any) -> None:
    with pytest.raises(ReviewerNotIndependent):
        judge(waiting(), "approve", actors.job("reviews"))  # type: ignore[arg-type]


@pytest.mark.usefixtures("marked")
def test_a_claimed_output_is_one_reviewers(waiting: Any, anna: Any, ben: Any) -> None:
    review = waiting()
    giving.claim(review.pk, actor=anna)

    with pytest.raises(ReviewNotOpen, match="Another reviewer"):
        judge(review, "approve", ben)

    assert judge(review, "approve", anna).state == "approved"
    with pytest.raises(ReviewNotOpen):
        judge(review, "reject", ben)


@pytest.mark.usefixtures("marked")
def test_an_escalated_output_is_anybodys_and_urgent(waiting: Any, anna: Any, ben: Any) -> None:
    review = waiting()
    with pytest.raises(VerdictRefused):
        giving.escalate(review.pk, reason="", actor=anna)

    giving.escalate(review.pk, reason="Health data?", actor=anna)

    item = item_of(review)
    assert (item.state, item.owner) == ("escalated", None)
    assert item.steps.last().note == "Health data?"
    assert judge(review, "reject", ben).state == "rejected"


@pytest.mark.usefixtures("marked")
def test_a_late_review_is_escalated_by_the_clock_and_nothing_is_released(waiting: Any, ask: Any) -> None:
    review = waiting()

    assert items.escalate_overdue(timezone.now() + timedelta(hours=73)) == 1

    assert item_of(review).state == "escalated"
    assert ask()["fallback"] == "awaiting_review"


@pytest.mark.usefixtures("marked_for_two")
def test_two_who_agree_release_it_and_one_does_not(waiting: Any, ask: Any, anna: Any, ben: Any) -> None:
    review = waiting()

    assert judge(review, "approve", anna).state == "waiting"
    assert ask()["fallback"] == "awaiting_review"
    assert (item_of(review).state, item_of(review).owner) == ("open", None)

    assert judge(review, "approve", ben).state == "approved"
    assert ask()["level"] == "individual"


@pytest.mark.usefixtures("marked_for_two")
def test_the_same_reviewer_is_no_second(waiting: Any, anna: Any) -> None:
    review = waiting()
    judge(review, "approve", anna)

    with pytest.raises(ReviewerNotIndependent, match="have judged"):
        judge(review, "approve", anna)
    assert not REVIEW.may_see(item_of(review), type("User", (), {"pk": anna.account}))


@pytest.mark.usefixtures("marked_for_two")
def test_an_account_that_the_first_reviewer_made_is_no_second(waiting: Any, anna: Any) -> None:
    review = waiting()
    judge(review, "approve", anna)
    puppet = make_officer("puppet")
    AuditEvent.objects.filter(action="officer.created")

    trail.record("officer.password_set", "puppet", actor=anna, details={"account": puppet.account, "by": anna.account})

    with pytest.raises(ReviewerNotIndependent, match="two persons"):
        judge(review, "approve", puppet)


@pytest.mark.usefixtures("marked_for_two")
def test_an_author_of_the_model_judges_nothing_that_takes_two(waiting: Any, anna: Any, ben: Any, deployed: Any) -> None:
    review = waiting()
    newest = Document.objects.filter(version=deployed).latest("pk")
    newest.pk, newest.revision, newest.author_id = None, newest.revision + 1, anna.account
    newest.save(force_insert=True)

    with pytest.raises(ReviewerNotIndependent, match="author"):
        judge(review, "approve", anna)
    assert judge(review, "approve", ben).state == "waiting"


@pytest.mark.usefixtures("marked")
def test_an_author_may_judge_what_takes_one(waiting: Any, anna: Any, deployed: Any) -> None:
    newest = Document.objects.filter(version=deployed).latest("pk")
    newest.pk, newest.revision, newest.author_id = None, newest.revision + 1, anna.account
    newest.save(force_insert=True)

    assert judge(waiting(), "approve", anna).state == "approved"


@pytest.mark.usefixtures("marked_for_two")
def test_the_first_verdict_stands_in_no_trail_and_no_work_before_the_second(waiting: Any, anna: Any) -> None:
    review = waiting()
    judge(review, "reject", anna, reason="Unfit for a minor.")

    said = [str(event.details) + event.action for event in AuditEvent.objects.filter(object=f"review {review.pk}")]
    said += [step.note for step in item_of(review).steps.all()]
    assert not any("reject" in text or "Unfit" in text for text in said)
    assert figures.of(Review.objects.all()).agreement.pairs == 0


@pytest.mark.usefixtures("marked_for_two")
def test_two_who_differ_leave_it_to_a_third(waiting: Any, ask: Any, anna: Any, ben: Any) -> None:
    review = waiting()
    judge(review, "approve", anna)
    assert judge(review, "reject", ben).state == "waiting"
    assert item_of(review).state == "escalated"
    assert ask()["fallback"] == "awaiting_review"

    carl = make_officer("carl")
    assert judge(review, "reject", carl).state == "rejected"
    given = AuditEvent.objects.get(object=f"review {review.pk}", action="review.rejected").details["verdicts"]
    assert [each["kind"] for each in given] == ["approve", "reject", "reject"]


@pytest.mark.usefixtures("marked_for_two")
def test_two_changes_agree_only_where_they_are_the_same(waiting: Any, anna: Any, ben: Any) -> None:
    review = waiting()
    judge(review, "change", anna, edit=first_half)

    assert (
        judge(review, "change", ben, edit=lambda content: {**content, "items": content["items"][:4]}).state == "waiting"
    )
    assert judge(review, "change", make_officer("carl"), edit=first_half).state == "changed"


@pytest.mark.usefixtures("marked_for_two")
def test_an_installation_with_one_officer_needs_no_second(waiting: Any, anna: Any) -> None:
    single.switch(on=True)

    assert judge(waiting(), "approve", anna).state == "approved"


@pytest.mark.usefixtures("marked")
def test_verdicts_are_append_only(waiting: Any, anna: Any) -> None:
    judge(waiting(), "approve", anna)

    for statement in ("UPDATE reviews_verdict SET kind = 'reject'", "DELETE FROM reviews_verdict"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.usefixtures("marked_for_two")
def test_figures_count_pairs_of_verdicts_once_both_are_given(waiting: Any, anna: Any, ben: Any) -> None:
    review = waiting()
    judge(review, "approve", anna)
    judge(review, "approve", ben)

    found = figures.of(Review.objects.all())

    assert (found.counts, found.decided, found.agreement.pairs) == ({"approved": 1}, 1, 1)
    assert found.taken is not None
