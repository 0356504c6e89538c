"""A person's request for human review is a review of what the person would be shown, and its verdict is the answer."""

from collections.abc import Callable
from typing import Any

import pytest

from audit.models import AuditEvent
from consent.pseudonyms import subject_ref
from model_registry.reviews import tasks
from model_registry.reviews.models import Review
from model_registry.reviews.outputs import sealing
from oversight.models import WorkItem
from privacy.rights.letters import letters
from privacy.rights.models import Letter, RightsRequest
from privacy.rights.requests import fulfilling
from tests.helpers import models, reviews
from tests.helpers.officers import signed_in, with_role
from tests.helpers.visitor import Visitor
from tests.personalization.review.conftest import PERSON, first_half, judge, output_of, slugs
from tests.privacy.rights.requests import test_api
from tests.privacy.rights.requests.test_pages import send

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]
client, post = test_api.client, test_api.post


@pytest.fixture
def asked(liked: None, post: Any) -> Callable[[], Review]:
    def opened() -> Review:
        answer = post("", {"subject": {"id": PERSON, "region": "DE"}, "right": "human_review"})
        assert answer.status_code == 201, answer.content
        return Review.objects.get(request_id=answer.json()["id"])

    return opened


def test_a_request_opens_a_review_of_what_is_shown_and_holds_it_back(asked: Any, ask: Ask) -> None:
    before = slugs(ask())

    review = asked()

    assert [item["item"] for item in sealing.intact(output_of(review))["items"]] == before
    assert (review.request.state, review.four_eyes) == ("in_progress", False)
    assert (ask()["level"], ask()["fallback"]) == ("none", "awaiting_review")
    # Whatever the facts: the person asked.
    assert ask(requested_level="behavioral")["fallback"] == "awaiting_review"
    item = WorkItem.objects.get(kind="output-review", object=str(review.pk))
    own = WorkItem.objects.get(kind="rights-request", object=str(review.request_id))
    assert abs((item.due_at - own.due_at).total_seconds()) < 60


def test_the_verdict_answers_the_request_in_the_reviewers_words(asked: Any, ask: Ask, anna: Any) -> None:
    review = asked()

    judge(review, "change", anna, edit=first_half, reason="We left out what you looked at once only.")

    request = RightsRequest.objects.get()
    assert (request.state, request.verified_at is not None) == ("done", True)
    assert request.steps.get(move="verify").reason == "We left out what you looked at once only."
    assert request.steps.get(move="verify").actor == "officer:anna"
    assert len(slugs(ask())) == 5
    assert not WorkItem.objects.filter(state__in=WorkItem.OPEN_STATES).exists()


def test_a_person_who_asked_and_was_right_gets_the_general_list(asked: Any, ask: Ask, anna: Any) -> None:
    judge(asked(), "reject", anna, reason="The list said too much about you.")

    assert RightsRequest.objects.get().state == "done"
    for level in ("individual", "behavioral"):
        assert ask(requested_level=level)["fallback"] == "rejected_by_review"


def test_an_approval_of_what_a_person_asked_about_needs_words(asked: Any, anna: Any) -> None:
    review = asked()

    with pytest.raises(Exception, match="words that the person"):
        judge(review, "approve", anna, reason="")
    judge(review, "approve", anna, reason="It follows from what you liked, and from nothing else.")

    assert RightsRequest.objects.get().state == "done"


def test_a_request_runs_once_however_often_the_sweep_looks(asked: Any) -> None:
    review = asked()
    before = AuditEvent.objects.count()

    fulfilling.sweep()
    fulfilling.sweep()

    assert (Review.objects.get(), AuditEvent.objects.count()) == (review, before)


def test_where_nothing_is_shown_an_officer_decides_in_words(
    post: Any,
    deployed: Any,
    api: Any,
    ask: Ask,
) -> None:
    post("", {"subject": {"id": "customer-9", "region": "DE"}, "right": "human_review"})
    review, request = Review.objects.get(), RightsRequest.objects.get()
    assert (review.state, review.why_void, request.state) == ("void", "nothing", "in_progress")
    fulfilling.sweep()
    assert Review.objects.count() == 1

    officer = signed_in(with_role("anna", "request-handler"))
    officer.post(f"/admin/requests/{request.pk}/verify", {"reason": "No decision about you was made by a machine."})

    request.refresh_from_db()
    assert request.state == "done"


def test_a_request_answered_on_its_own_page_ends_the_review(asked: Any, ask: Ask) -> None:
    review = asked()
    officer = signed_in(with_role("anna", "request-handler"))

    officer.post(f"/admin/requests/{review.request_id}/verify", {"reason": "We talked on the phone."})
    assert ask()["level"] == "individual"

    review.refresh_from_db()
    assert (review.state, review.why_void) == ("void", "answered")
    tasks.sweep_reviews()
    assert not WorkItem.objects.filter(state__in=WorkItem.OPEN_STATES).exists()


def test_what_is_overtaken_by_another_state_of_the_model_is_opened_anew(asked: Any, ask: Ask, deployed: Any) -> None:
    first = asked()
    models.take(deployed, "suspended")
    models.take(deployed, "live")
    ask()
    first.refresh_from_db()
    assert first.why_void == "overtaken"

    fulfilling.sweep()

    newest = Review.objects.get(state="waiting")
    assert newest.request_id == first.request_id
    assert ask()["fallback"] == "awaiting_review"


def test_a_review_that_a_rule_opened_makes_room_for_the_persons_own(
    marked: None, waiting: Any, asked: Any, anna: Any, ask: Ask
) -> None:
    by_rule = waiting()
    own = asked()

    by_rule.refresh_from_db()
    assert by_rule.state == "void"
    judge(own, "approve", anna, reason="It stands.")
    assert ask()["level"] == "individual"


def test_a_person_asks_and_reads_the_answer_on_their_page(
    visitor: Visitor, deployed: Any, remember: Any, shop: Any, anna: Any, api: Any
) -> None:
    api.save(PERSON, "give")
    remember(PERSON, [item.id for item in shop.items[:8]])
    send(visitor, "/privacy/requests", right="human_review", statement="Why these?")
    review = Review.objects.get()
    assert review.request.subject_ref == subject_ref(PERSON)
    assert "In progress" in visitor.look().content.decode()

    judge(review, "approve", anna, reason="They are like what you liked.")

    page = visitor.look().content.decode()
    assert "They are like what you liked." in page
    assert "Answered" in page


def test_the_letter_of_the_answer_has_the_words(asked: Any, anna: Any) -> None:
    review = asked()
    judge(review, "approve", anna, reason="They are like what you liked.")
    request = RightsRequest.objects.get()
    facts = letters.facts_of(request, words=letters._decision(request))

    assert facts.words == "They are like what you liked."
    assert not Letter.objects.exists()  # a service asked: there is no address


def test_a_rule_does_not_hold_back_what_the_persons_own_review_approved(asked: Any, ask: Ask, anna: Any) -> None:
    judge(asked(), "approve", anna, reason="It stands.")
    assert ask()["level"] == "individual"

    # Another duty is another question: it is reviewed on its own.
    reviews.rule("all", purpose="recommendations")
    assert ask()["fallback"] == "awaiting_review"
