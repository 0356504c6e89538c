"""Rules of ranking shape what is served: marked, explained, within bounds, never in what is sensitive."""

from collections.abc import Callable
from typing import Any

import pytest

from model_registry.reviews.models import Review
from model_registry.reviews.verdicts import giving
from oversight.changes.documents import Proposed
from oversight.problems import ChangeRefused
from personalization import parameters
from personalization.models import Item
from policies.models import RankingRule, SensitiveCategory
from policies.registers.descriptors import ranking_narrows
from tests.helpers import display_rules, ranking_rules, reviews
from tests.helpers.registers import in_force, make_officer
from tests.personalization.conftest import SHOP

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]
IDS = [item.id for item in SHOP.items]


@pytest.fixture
def reader(api: Any, deployed: Any, remember: Any) -> str:
    assert api.save("customer-1", "give").status_code == 201
    remember("customer-1", IDS[:6])
    return "customer-1"


def tried(answer: dict[str, Any]) -> list[str]:
    return [each["item"] for each in answer["items"] if each.get("tried_out")]


def shown(answer: dict[str, Any]) -> list[str]:
    return [each["item"] for each in answer["items"]]


@pytest.mark.usefixtures("reader")
def test_a_share_is_tried_out_and_says_so(ask: Ask) -> None:
    before = ask(count=20)
    assert not tried(before)

    ranking_rules.rule("recommendations", tried_share=20)
    answer = ask(count=20)

    assert len(tried(answer)) in (4, 5)
    assert not set(tried(answer)) & set(shown(before))
    assert [each["item"] for each in answer["items"] if each["why"].startswith("Tried out")] == tried(answer)
    assert all(each["because"] for each in answer["items"] if each.get("tried_out")), "the reasons are exact as ever"
    assert shown(ask(count=20)) == shown(answer), "drawn once a day"
    assert not tried(ask(requested_level="segment")), "only personal lists"
    assert not tried(ask(requested_level="none"))


@pytest.mark.usefixtures("reader")
def test_what_is_sensitive_restricted_or_paid_for_is_never_tried_out(ask: Ask) -> None:
    best = shown(ask(count=5))
    ranking_rules.rule("recommendations", tried_share=20)
    Item.objects.exclude(pk__in=best).update(categories=["knives"])
    assert tried(ask(count=5))

    display_rules.rule("knives", "knives", age_bands=["child"])
    assert not tried(ask(count=5))
    assert len(shown(ask(count=5))) == 5


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("change", [{"min_age": 18}, {"legal_flags": ["alcohol"]}, {"is_promoted": True}])
def test_items_that_the_law_is_about_or_that_are_paid_for_are_not_tried_out(ask: Ask, change: dict[str, Any]) -> None:
    ranking_rules.rule("recommendations", tried_share=20)
    Item.objects.update(**change)

    assert not tried(ask(count=10))


@pytest.mark.usefixtures("reader")
def test_a_sensitive_kind_is_not_tried_out(ask: Ask) -> None:
    ranking_rules.rule("recommendations", tried_share=20)
    kind = SensitiveCategory.objects.first()
    assert kind is not None
    Item.objects.update(categories=[kind.slug])

    assert not tried(ask(count=10))


@pytest.mark.usefixtures("reader")
def test_nothing_is_tried_out_where_a_person_reviews(ask: Ask) -> None:
    ranking_rules.rule("recommendations", tried_share=20)
    reviews.rule("all", purpose="recommendations")

    assert ask()["fallback"] == "awaiting_review"
    review = Review.objects.get()
    giving.give(review.pk, "approve", seen=review.digest, actor=make_officer("anna"), reason="")
    answer = ask()
    assert (answer["level"], tried(answer)) == ("individual", [])


@pytest.mark.usefixtures("reader")
def test_small_creators_have_their_share_of_places(ask: Ask) -> None:
    Item.objects.update(creator="large")
    far = shown(ask(count=40))[25:32]
    Item.objects.filter(pk__in=far).update(creator="small")
    assert not set(shown(ask(count=10))) & set(far)

    ranking_rules.rule("recommendations", small_creator_share=30, small_creator_items=10)

    answer = shown(ask(count=10))
    assert len(set(answer) & set(far)) == 3
    assert [item for item in answer if item in far] == far[:3], "the best of them"


@pytest.mark.usefixtures("reader")
def test_objectives_change_the_order_and_no_score(ask: Ask) -> None:
    before = ask(count=10)

    ranking_rules.rule("recommendations", variety=40, novelty=20, balance=10)
    answer = ask(count=10)

    assert shown(answer) != shown(before)
    assert answer["level"] == "individual"


def test_the_public_page_names_the_weights(client: Any, register_in_force: None) -> None:
    assert [weight for _, weight in parameters.objectives()] == [100, 0, 0, 0, 0, 0]

    ranking_rules.rule("recommendations", variety=20, novelty=10, tried_share=15)

    assert [weight for _, weight in parameters.objectives()] == [70, 20, 10, 0, 15, 0]
    page = client.get("/privacy/ranking").content.decode()
    assert "Variety: things of different kinds" in page
    assert "<td>70</td>" in page


@pytest.mark.usefixtures("register_in_force")
@pytest.mark.parametrize(
    "wrong",
    [{"tried_share": 21}, {"small_creator_share": 51}, {"variety": 50, "novelty": 41}, {"small_creator_items": 0}],
)
def test_weights_and_shares_beyond_their_bounds_are_refused(wrong: dict[str, int]) -> None:
    anna, ben = make_officer("anna"), make_officer("ben")
    document = {"purpose": "recommendations", **RankingRule(**wrong).document()}

    with pytest.raises(ChangeRefused):
        in_force(anna, ben, Proposed("ranking_rule", "recommendations", document))
    assert not RankingRule.objects.exists()


def test_to_try_out_less_takes_one_officer_and_other_weights_two() -> None:
    rule = RankingRule(tried_share=15).document()

    assert ranking_narrows(rule, {**rule, "tried_share": 10})
    assert not ranking_narrows(rule, {**rule, "tried_share": 20})
    assert not ranking_narrows(rule, {**rule, "variety": 10})
