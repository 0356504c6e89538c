"""A marked list is served after a person approved it, to its person only, and while nothing it rests on has changed."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import OperationalError
from django.utils import timezone

from consent.pseudonyms import subject_ref
from model_registry.reviews import tasks
from model_registry.reviews.models import Output, Review, Verdict, VerdictText
from model_registry.reviews.outputs import sealing
from oversight.models import WorkItem
from personalization.creators import opt_outs
from personalization.models import Event, Item
from policies.decisions import evaluate
from policies.engines.base import Obligation
from tests.helpers import models, reviews
from tests.personalization.review.conftest import PERSON, first_half, judge, output_of, slugs

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("liked")
def test_nothing_waits_where_no_rule_marks_it(ask: Any) -> None:
    assert ask()["level"] == "individual"
    assert not Review.objects.exists()


@pytest.mark.usefixtures("marked")
def test_a_marked_list_is_the_general_one_until_it_is_approved(ask: Any, waiting: Any, anna: Any, shop: Any) -> None:
    review = waiting()
    answer = ask()

    assert (answer["level"], answer["fallback"], answer["profiled"]) == ("none", "awaiting_review", False)
    assert slugs(answer) == [item.id for item in shop.items[:10]]
    assert answer["permitted_level"] == "individual"
    assert Review.objects.count() == WorkItem.objects.filter(kind="output-review").count() == 1

    judge(review, "approve", anna, reason="")

    answer = ask()
    assert (answer["level"], answer["fallback"]) == ("individual", None)
    assert slugs(answer) == [item["item"] for item in sealing.intact(output_of(review))["items"]]
    assert ask(count=3)["items"] == answer["items"][:3]


@pytest.mark.usefixtures("marked")
def test_a_changed_list_is_served_as_it_was_changed(ask: Any, waiting: Any, anna: Any) -> None:
    review = waiting()
    before = [item["item"] for item in sealing.intact(output_of(review))["items"]]

    judge(review, "change", anna, edit=first_half)

    assert slugs(ask()) == before[:5]
    review.refresh_from_db()
    assert (review.state, Verdict.objects.get().kind) == ("changed", "change")


@pytest.mark.usefixtures("marked")
def test_a_rejected_list_stays_the_general_one(ask: Any, waiting: Any, anna: Any) -> None:
    judge(waiting(), "reject", anna)

    answer = ask()
    assert (answer["level"], answer["fallback"]) == ("none", "rejected_by_review")
    assert Review.objects.count() == 1


@pytest.mark.usefixtures("marked")
def test_an_approval_ends_with_its_time_and_the_next_list_waits(ask: Any, waiting: Any, anna: Any) -> None:
    review = waiting()
    judge(review, "approve", anna)
    Review.objects.filter(pk=review.pk).update(serves_until=timezone.now() - timedelta(seconds=1))

    assert ask()["fallback"] == "awaiting_review"
    assert not Output.objects.filter(pk=review.pk).exists()
    assert Review.objects.filter(state="waiting").count() == 1


@pytest.mark.usefixtures("marked")
def test_a_withdrawal_voids_an_approval_also_after_a_new_yes(ask: Any, api: Any, waiting: Any, anna: Any) -> None:
    review = waiting()
    judge(review, "approve", anna)

    api.save(PERSON, "withdraw")
    assert (ask()["level"], ask()["fallback"]) == ("none", None)

    api.save(PERSON, "give")
    assert ask()["fallback"] == "awaiting_review"
    review.refresh_from_db()
    assert (review.state, review.why_void) == ("void", "overtaken")


@pytest.mark.usefixtures("marked")
def test_a_suspension_voids_an_approval_also_after_it_ends(ask: Any, waiting: Any, anna: Any, deployed: Any) -> None:
    review = waiting()
    judge(review, "approve", anna)

    models.take(deployed, "suspended")
    assert (ask()["level"], ask()["reasons"][0]["code"]) == ("none", "model_not_live")

    models.take(deployed, "live")
    assert ask()["fallback"] == "awaiting_review"
    review.refresh_from_db()
    assert review.state == "void"


@pytest.mark.usefixtures("marked")
def test_a_rule_that_is_switched_off_serves_at_once(ask: Any, waiting: Any) -> None:
    waiting()
    reviews.rule("all", purpose="recommendations", is_active=False)

    assert ask()["level"] == "individual"


@pytest.mark.usefixtures("liked")
def test_only_lists_the_model_is_less_sure_of_wait(ask: Any) -> None:
    reviews.rule("unsure", purpose="recommendations", confidence_below=1)
    assert ask()["level"] == "individual"

    reviews.rule("unsure", purpose="recommendations", confidence_below=100)
    assert ask()["fallback"] == "awaiting_review"
    assert 1 <= sealing.intact(Output.objects.select_related("review").get())["confidence"] < 100


@pytest.mark.usefixtures("liked")
def test_the_strictest_of_several_rules_counts(waiting: Any) -> None:
    reviews.rule("one", purpose="recommendations", serve_hours=5, due_hours=9)
    reviews.rule("two", four_eyes=True, serve_hours=7, due_hours=2)

    review = waiting()

    assert (review.rules, review.four_eyes, review.serve_hours) == (["one", "two"], True, 5)
    item = WorkItem.objects.get(object=str(review.pk))
    assert item.due_at - review.opened_at < timedelta(hours=2, minutes=1)


@pytest.mark.usefixtures("liked")
def test_a_duty_whose_terms_cannot_be_read_is_taken_at_its_strictest(ask: Any, monkeypatch: Any) -> None:
    decide = evaluate.BatchEvaluation.decide

    def with_duty(*args: Any, **kwargs: Any) -> Any:
        decision = decide(*args, **kwargs)
        verdict = msgspec.structs.replace(decision.rendered.verdict, obligations=[Obligation("human_review", {})])
        rendered = evaluate.render_verdict(verdict, decision.rendered.facts, "test")
        return msgspec.structs.replace(decision, rendered=rendered)

    monkeypatch.setattr(evaluate.BatchEvaluation, "decide", with_duty)

    assert ask()["fallback"] == "awaiting_review"
    assert (Review.objects.get().four_eyes, Review.objects.get().serve_hours) == (True, 1)


@pytest.mark.usefixtures("marked")
def test_a_no_since_then_and_an_item_off_the_catalogue_leave_an_approved_list(
    ask: Any, waiting: Any, anna: Any, remember: Any
) -> None:
    judge(waiting(), "approve", anna)
    first, second, third, *rest = slugs(ask())

    remember(PERSON, [first], kind=Event.Kind.NOT_RELEVANT, weight=0)
    Item.objects.filter(pk=second).update(is_active=False)
    Item.objects.filter(pk=third).update(creator="maker")
    opt_outs.set_recommended("maker", recommended=False, actor="officer:one")

    assert slugs(ask()) == rest


@pytest.mark.usefixtures("marked")
def test_an_output_altered_after_its_approval_is_not_served(ask: Any, waiting: Any, anna: Any) -> None:
    review = waiting()
    judge(review, "approve", anna)
    output = output_of(review)
    content = sealing.intact(output)
    content["items"] = content["items"][::-1]
    Output.objects.filter(pk=review.pk).update(sealed=sealing.seal(content, review))

    assert ask()["fallback"] == "awaiting_review"
    review.refresh_from_db()
    assert (review.state, review.why_void) == ("void", "altered")


@pytest.mark.usefixtures("marked")
def test_an_altered_digest_of_the_review_does_not_help(ask: Any, waiting: Any, anna: Any) -> None:
    review = waiting()
    judge(review, "approve", anna)
    output = output_of(review)
    content = {**sealing.intact(output), "level": "individual", "items": []}
    Output.objects.filter(pk=review.pk).update(sealed=sealing.seal(content, review))
    Review.objects.filter(pk=review.pk).update(digest=sealing.digest(content, output))

    # The verdict says which output was seen, and is append-only.
    assert ask()["fallback"] == "awaiting_review"


@pytest.mark.usefixtures("marked")
def test_an_approval_is_not_another_persons(
    ask: Any, api: Any, waiting: Any, anna: Any, remember: Any, shop: Any
) -> None:
    review = waiting()
    judge(review, "approve", anna)
    api.save("customer-2", "give")
    remember("customer-2", [item.id for item in shop.items[:8]])
    # Who can write the database gives the approved output to somebody else with the same facts.
    other = Output.objects.filter(pk=review.pk)
    other.update(subject_ref=subject_ref("customer-2"))

    assert ask("customer-2")["fallback"] == "awaiting_review"
    review.refresh_from_db()
    assert review.state == "void"


@pytest.mark.usefixtures("marked")
def test_a_changed_list_that_was_forged_is_not_served(ask: Any, waiting: Any, anna: Any) -> None:
    review = waiting()
    judge(review, "change", anna, edit=first_half)
    content = sealing.intact(output_of(review))
    forged = {"reason": "", "content": {**content, "items": content["items"][::-1]}}
    VerdictText.objects.update(sealed=sealing.seal(forged, review))

    assert ask()["fallback"] == "awaiting_review"
    review.refresh_from_db()
    assert review.why_void == "altered"


@pytest.mark.usefixtures("marked")
def test_facts_that_go_to_and_fro_open_few_reviews(ask: Any) -> None:
    levels = ("individual", "contextual", "behavioral")
    for level in levels:
        for gpc in (False, True):
            assert ask(requested_level=level, signals={"gpc": gpc})["fallback"] == "awaiting_review"

    assert Review.objects.filter(state="waiting").count() <= 3


@pytest.mark.usefixtures("marked")
def test_the_sweep_forgets_what_is_over_and_ends_reviews_without_output(waiting: Any, anna: Any, ask: Any) -> None:
    review = waiting()
    judge(review, "approve", anna)
    Review.objects.filter(pk=review.pk).update(serves_until=timezone.now() - timedelta(seconds=1))
    ask()
    open_one = Review.objects.get(state="waiting")
    Output.objects.filter(pk=open_one.pk).delete()

    tasks.sweep_reviews()

    open_one.refresh_from_db()
    assert (open_one.state, open_one.why_void, Output.objects.count()) == ("void", "erased", 0)
    assert not WorkItem.objects.filter(kind="output-review", state__in=WorkItem.OPEN_STATES).exists()


@pytest.mark.usefixtures("liked")
def test_an_answer_that_no_rule_marks_costs_no_statement_more(ask: Any, sql: Any) -> None:
    ask()
    sql.clear()
    ask()

    assert not [statement for statement in sql if "reviews_" in statement]


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(
    ("said", "is_shown"),
    [
        ([("skip", 1)], False),
        ([("dismiss", 2)], False),
        ([("dismiss", 24 * 31)], True),
        ([("skip", 2), ("undo", 1)], True),
    ],
    ids=str,
)
def test_what_the_person_said_last_about_an_approved_item_counts(
    ask: Any, waiting: Any, anna: Any, remember: Any, said: list[tuple[str, int]], is_shown: bool
) -> None:
    judge(waiting(), "approve", anna)
    first = slugs(ask())[0]

    for kind, hours in said:
        remember(PERSON, [first], kind=kind, weight=0.0, newest=timezone.now() - timedelta(hours=hours))

    assert (first in slugs(ask())) is is_shown


@pytest.mark.usefixtures("marked")
def test_where_a_refusal_cannot_be_read_the_general_list_is_shown(
    ask: Any, waiting: Any, anna: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(waiting(), "approve", anna)

    def fail(*_args: Any) -> Any:
        raise OperationalError

    monkeypatch.setattr(opt_outs, "is_out", fail)

    assert (ask()["level"], ask()["fallback"]) == ("none", "review_unavailable")
