"""A rule of display: approved in its register, the next list is without the items, whichever it is; undone, back."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consent.pseudonyms import subject_ref
from model_registry.reviews.models import Review
from model_registry.reviews.verdicts import giving
from oversight.changes import applying, approval, drafting, preview, undoing
from oversight.changes.documents import Proposed
from oversight.problems import ChangeRefused
from oversight.registers import find
from personalization.models import Item, PopularItem
from personalization.serving import reading
from policies.bundles import loading
from policies.decisions import facts, information
from policies.decisions.questions import Question
from policies.models import ActiveBundle, DisplayRule
from policies.registers.descriptors import display_narrows
from tests.helpers import display_rules, reviews
from tests.helpers.registers import drafted, in_force, make_officer
from tests.personalization.conftest import SHOP

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]
ALCOHOL = {item.id for item in SHOP.items if "alcohol" in item.categories}
NO_ALCOHOL = {
    "slug": "alcohol", "effect": "hide", "item_categories": ["alcohol"], "item_flags": [], "promotions_only": False,
    "age_bands": ["minor"], "regions": [], "purposes": [],
    "from_day": None, "until_day": None, "reason": "Protection of minors.",
}  # fmt: skip


@pytest.fixture
def bottles(deployed: Any) -> set[str]:
    """Alcohol that everybody's list begins with."""
    PopularItem.objects.filter(item__in=ALCOHOL).delete()
    PopularItem.objects.filter(rank__gt=10).delete()
    ranked = enumerate(sorted(ALCOHOL), start=11)
    PopularItem.objects.bulk_create(PopularItem(rank=rank, item_id=item, people=1) for rank, item in ranked)
    return ALCOHOL


@pytest.fixture
def person(api: Any) -> Callable[..., str]:
    """Register a person who agreed."""

    def of(age: str | None, region: str = "DE", name: str = "teen") -> str:
        subject = {"id": name, "region": region, **({"age_band": age} if age else {})}
        choice = {"purpose": "recommendations", "choice": "give"}
        answer = api.post("/api/v1/consents", {"subject": subject, "choices": [choice]})
        assert answer.status_code == 201, answer.content
        return name

    return of


def shown(answer: dict[str, Any]) -> set[str]:
    return {item["item"] for item in answer["items"]}


def reasons(answer: dict[str, Any]) -> set[str]:
    return {reason["item"] for item in answer["items"] for part in ("because", "despite") for reason in item[part]}


@pytest.mark.usefixtures("either_engine")
def test_no_alcohol_for_a_minor_from_the_next_request_on(ask: Ask, person: Any, bottles: set[str]) -> None:
    """What the issue must show: one officer brings the rule into force, and two take it back."""
    anna, ben = make_officer("anna"), make_officer("ben")
    teen, grown = person("minor"), person("adult", name="grown")
    assert shown(ask(teen, count=50)) & bottles

    change = drafted(anna, Proposed("display_rule", "alcohol", NO_ALCOHOL))
    applying.apply_protectively(change, actor=anna, reason="a complaint")

    without = ask(teen, count=50)
    assert (without["level"], [each["code"] for each in without["reasons"]]) == ("none", ["minor"])
    assert not shown(without) & bottles
    assert len(without["items"]) == 10, "all others are in the list"
    assert shown(ask(grown, count=50)) & bottles

    undo = preview.check(undoing.undo(change, actor=anna))
    with pytest.raises(ChangeRefused, match="only take permission away"):
        applying.apply_protectively(undo, actor=anna, reason="")
    assert not shown(ask(teen, count=50)) & bottles
    drafting.propose(undo, actor=anna, reason="it was repealed")
    undo.refresh_from_db()
    approval.approve(undo, actor=ben, seen=undo.digest, confirmed="")

    assert shown(ask(teen, count=50)) & bottles


@pytest.mark.usefixtures("either_engine")
def test_whose_age_nobody_knows_is_protected_even_where_the_law_takes_them_for_adults(
    ask: Ask, person: Any, bottles: set[str]
) -> None:
    stranger = person(None, region="US-CA")
    before = ask(stranger, count=50, processing_region="us-east", requested_level="none")
    assert shown(before) & bottles

    display_rules.rule("alcohol", "alcohol", age_bands=["child"])

    assert not shown(ask(stranger, count=50)) & bottles
    assert not shown(ask("never-seen", count=50)) & bottles


@pytest.mark.parametrize("level", ["individual", "contextual", "behavioral", "segment", "none"])
def test_every_level_leaves_it_out(ask: Ask, person: Any, remember: Any, bottles: set[str], level: str) -> None:
    grown, titles = person("adult"), titles_of(bottles)
    remember(grown, [*sorted(bottles)[:3], *[item.id for item in SHOP.items[:6]]])
    session = sorted(bottles)[3:4] if level == "contextual" else []
    asked = {"requested_level": level, "count": 100, "session": session}
    before = ask(grown, **asked)
    assert (shown(before) | reasons(before)) & bottles

    display_rules.rule("alcohol", "alcohol")

    answer = ask(grown, **asked)
    assert answer["level"] == before["level"] == level
    assert answer["items"]
    assert not (shown(answer) | reasons(answer)) & bottles
    assert not any(title in item["why"] for item in answer["items"] for title in titles)


def titles_of(items: set[str]) -> list[str]:
    return list(Item.objects.filter(pk__in=items).values_list("title", flat=True))


def test_what_joined_the_category_after_the_training_is_neither_shown_nor_named(
    ask: Ask, person: Any, remember: Any, deployed: Any
) -> None:
    grown = person("adult")
    remember(grown, [item.id for item in SHOP.items[:6]])
    before = ask(grown)
    joined = {before["items"][0]["item"], before["items"][0]["because"][0]["item"]}
    Item.objects.filter(pk__in=joined).update(categories=["knives"])

    display_rules.rule("knives", "knives")

    answer = ask(grown)
    assert (answer["level"], len(answer["items"])) == ("individual", 10)
    assert not (shown(answer) | reasons(answer)) & joined
    assert not any(title in item["why"] for item in answer["items"] for title in titles_of(joined))


def test_a_category_that_is_most_of_the_shop_leaves_a_full_list_of_the_rest(
    ask: Ask, person: Any, remember: Any, deployed: Any
) -> None:
    grown = person("adult")
    remember(grown, [item.id for item in SHOP.items[:6]])

    display_rules.rule("much", "kitchen", "books", "garden", "home")

    assert len(ask(grown)["items"]) == 10


def test_an_approved_list_loses_what_is_hidden_since(ask: Ask, person: Any, remember: Any, deployed: Any) -> None:
    anna, grown = make_officer("anna"), person("adult")
    remember(grown, [item.id for item in SHOP.items[:6]])
    reviews.rule("all", purpose="recommendations")
    display_rules.rule("knives", "knives")
    assert ask(grown)["fallback"] == "awaiting_review"
    review = Review.objects.get(state="waiting")
    giving.give(review.pk, "approve", seen=review.digest, actor=anna, reason="")
    first, second, *rest = ask(grown)["items"]
    named = second["because"][0]["item"]

    Item.objects.filter(pk__in=[first["item"], named]).update(categories=["knives"])

    answer = ask(grown)
    assert answer["level"] == "individual"
    assert not (shown(answer) | reasons(answer)) & {first["item"], named}
    assert [item for item in rest if named not in {each["item"] for each in item["because"] + item["despite"]}] == (
        answer["items"]
    )


def test_where_no_policy_decides_what_any_rule_names_is_hidden(
    ask: Ask, person: Any, bottles: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    grown = person("adult")
    display_rules.rule("alcohol", "alcohol", age_bands=["child"], until_day=date(2020, 1, 1))
    assert shown(ask(grown, count=50, requested_level="none")) & bottles

    def silent(*_: object) -> None:
        raise information.InformationUnavailable

    monkeypatch.setattr(information, "asked", silent)

    answer = ask(grown, count=50)
    assert answer["fallback"] == "information_unavailable"
    assert answer["items"]
    assert not shown(answer) & bottles


@pytest.mark.usefixtures("register_in_force")
def test_a_rule_hides_on_its_days_and_the_facts_say_until_when() -> None:
    """Days begin and end with the first and the last place on Earth where they do."""
    day = date(2030, 12, 31)
    display_rules.rule("fireworks", "alcohol", from_day=day, until_day=day)
    first, last = datetime(2030, 12, 30, 10, tzinfo=UTC), datetime(2031, 1, 1, 12, tzinfo=UTC)

    def at(moment: datetime) -> tuple[bool, float | None]:
        bundle = loading.loaded(ActiveBundle.objects.get().bundle_id)
        asked = Question(subject_ref=subject_ref("anyone"), action="personalize", purpose="recommendations")
        built = facts.build(asked, information.NOTHING, bundle, moment.timestamp())
        return b"idle_display_rules" not in built.document, built.valid_until

    second = timedelta(seconds=1)
    assert at(first - second) == (False, first.timestamp())
    assert at(first) == (True, last.timestamp())
    assert at(last - second) == (True, last.timestamp())
    assert at(last) == (False, None)


def test_the_rules_of_both_regions_count_where_a_caller_states_another(
    ask: Ask, person: Any, bottles: set[str]
) -> None:
    grown = person("adult", region="DE")
    display_rules.rule("there", "alcohol", regions=["FR"])
    assert shown(ask(grown, count=50, requested_level="none")) & bottles

    assert not shown(ask(grown, count=50, requested_level="none", region="FR")) & bottles

    display_rules.rule("here", "pantry", regions=["DE"])
    assert not shown(ask(grown, count=50, requested_level="none", region="FR")) & bottles


def test_a_rule_adds_no_statement(ask: Ask, person: Any, remember: Any, deployed: Any, sql: list[str]) -> None:
    grown = person("adult")
    remember(grown, [item.id for item in SHOP.items[:6]])

    def statements() -> tuple[int, int]:
        ask(grown)
        sql.clear()
        before = reading.executions()
        ask(grown)
        return len(sql), reading.executions() - before

    without = statements()
    display_rules.rule("alcohol", "alcohol")
    assert statements() == without


@pytest.mark.parametrize(
    ("member", "content"),
    [
        ("item_categories", []),
        ("item_categories", [""]),
        ("item_categories", "alcohol"),
        ("item_flags", ["alcohl"]),
        ("effect", "show"),
        ("age_bands", ["elder"]),
        ("regions", ["Atlantis"]),
        ("purposes", ["unheard_of"]),
        ("reason", ""),
    ],
)
def test_a_rule_that_could_not_fire_is_refused(register_in_force: None, member: str, content: Any) -> None:
    anna, ben = make_officer("anna"), make_officer("ben")

    with pytest.raises(ChangeRefused):
        in_force(anna, ben, Proposed("display_rule", "alcohol", {**NO_ALCOHOL, member: content}))
    assert not DisplayRule.objects.exists()


@pytest.mark.parametrize(
    ("change", "is_protective"),
    [
        ({"item_categories": ["alcohol", "tobacco"]}, True),
        ({"item_categories": ["tobacco"]}, False),
        ({"age_bands": ["minor", "adult"]}, True),
        ({"age_bands": []}, True),
        ({"age_bands": ["child"]}, False),
        ({"regions": []}, True),
        ({"regions": ["DE", "FR"]}, True),
        ({"regions": ["FR"]}, False),
        ({"purposes": []}, True),
        ({"purposes": ["newsletter"]}, False),
        ({"from_day": "2030-01-01"}, True),
        ({"from_day": "2030-03-01"}, False),
        ({"until_day": None}, True),
        ({"until_day": "2030-05-01"}, False),
        ({"reason": "A law."}, True),
        ({"item_flags": ["alcohol"]}, False),
        ({"promotions_only": True}, False),
        ({"effect": "show", "item_categories": [], "item_flags": ["alcohol"], "age_bands": []}, False),
    ],
)
def test_to_hide_more_takes_one_officer_and_to_hide_less_two(change: dict[str, Any], is_protective: bool) -> None:
    rule = {
        **NO_ALCOHOL, "regions": ["DE"], "purposes": ["recommendations"],
        "from_day": "2030-02-01", "until_day": "2030-06-01",
    }  # fmt: skip

    assert display_narrows(rule, {**rule, **change}) is is_protective
    assert display_narrows(None, rule)
    assert not display_narrows(rule, None)
    assert find("display_rule").narrows is display_narrows
