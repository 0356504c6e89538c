"""Flags, ages, regions and stock: what an item says of itself hides it at once, and rules say where it may be shown."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from oversight.changes import applying
from oversight.changes.documents import Proposed
from oversight.problems import ChangeRefused
from personalization.models import Item
from personalization.rules import hidden
from personalization.serving import reading
from policies.decisions import information
from tests.helpers import display_rules
from tests.helpers.registers import drafted, make_officer
from tests.personalization.conftest import SHOP

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]
ITEM = SHOP.items[0].id  # the first of the general list
RULE = {
    "slug": "alcohol", "effect": "hide", "item_categories": [], "item_flags": ["alcohol"], "promotions_only": False,
    "age_bands": ["minor"], "regions": [], "purposes": [], "from_day": None, "until_day": None, "reason": "A law.",
}  # fmt: skip


@pytest.fixture
def person(api: Any, deployed: Any) -> Callable[..., str]:
    """Register a person who agreed."""

    def of(age: str | None = "adult", region: str | None = "DE") -> str:
        name = f"{age}-{region}"
        known = {"age_band": age, "region": region}
        subject = {"id": name, **{member: value for member, value in known.items() if value}}
        choice = {"purpose": "recommendations", "choice": "give"}
        answer = api.post("/api/v1/consents", {"subject": subject, "choices": [choice]})
        assert answer.status_code == 201, answer.content
        return name

    return of


def mark(**columns: Any) -> None:
    assert Item.objects.filter(pk=ITEM).update(**columns) == 1


def is_shown(ask: Ask, name: str, **members: Any) -> bool:
    return ITEM in {item["item"] for item in ask(name, count=100, requested_level="none", **members)["items"]}


@pytest.mark.usefixtures("either_engine")
def test_a_flag_of_the_law_hides_at_the_next_request_until_a_rule_speaks(ask: Ask, person: Any, api: Any) -> None:
    grown, teen = person(), person("minor")
    assert is_shown(ask, grown)

    answer = api.post(f"/api/v1/items/{ITEM}", {"legal_flags": ["alcohol"]}, method="patch")

    assert answer.status_code == 200
    assert not is_shown(ask, grown)
    assert not is_shown(ask, teen)

    display_rules.rule("alcohol", item_flags=["alcohol"], age_bands=["minor"])

    assert is_shown(ask, grown)
    assert not is_shown(ask, teen)
    assert not is_shown(ask, "never-seen"), "of unknown age"


def test_a_rule_speaks_for_its_regions_and_purposes_alone(ask: Ask, person: Any) -> None:
    mark(legal_flags=["alcohol"])
    display_rules.rule("de", item_flags=["alcohol"], age_bands=["minor"], regions=["DE"])

    assert is_shown(ask, person())
    assert not is_shown(ask, person(region="FR")), "no rule speaks about alcohol there"
    assert not is_shown(ask, person(), region="FR"), "the caller says that the person is there"
    assert not is_shown(ask, person("adult", None)), "where the person is, is not known"

    display_rules.rule("fr", effect="show", item_flags=["alcohol"], regions=["FR"])
    assert is_shown(ask, person(region="FR"))
    assert is_shown(ask, person(), region="FR")

    display_rules.rule("elsewhere", effect="show", item_flags=["tobacco"], purposes=["newsletter"])
    mark(legal_flags=["tobacco"])
    assert not is_shown(ask, person())


def test_a_rule_that_hides_wins_over_one_that_shows(ask: Ask, person: Any) -> None:
    """Conflicting rules, and two that overlap."""
    mark(legal_flags=["alcohol", "gambling"])
    display_rules.rule("free", effect="show", item_flags=["alcohol", "gambling"])
    assert is_shown(ask, person())

    display_rules.rule("bets", item_flags=["gambling"], regions=["DE"], age_bands=["minor"])
    display_rules.rule("drinks", item_flags=["alcohol"], age_bands=["child"])

    assert is_shown(ask, person())
    assert not is_shown(ask, person("minor"))


def test_a_rule_out_of_its_days_speaks_no_longer(ask: Ask, person: Any) -> None:
    mark(legal_flags=["alcohol"])
    display_rules.rule("past", effect="show", item_flags=["alcohol"], until_day=date(2020, 1, 1))

    assert not is_shown(ask, person())


@pytest.mark.parametrize(
    ("age", "min_age", "shown"),
    [("adult", 18, True), ("adult", 6, True), ("adult", 21, False), ("minor", 6, False),
     (None, 12, False)],
)  # fmt: skip
def test_an_item_is_shown_to_who_is_known_to_be_old_enough(
    ask: Ask, person: Any, age: str | None, min_age: int, shown: bool
) -> None:
    mark(min_age=min_age)

    assert is_shown(ask, person(age)) is shown


@pytest.mark.parametrize(
    ("region", "restricted", "shown"),
    [("DE", ["FR"], True), ("DE", ["DE"], False), ("US-CA", ["US-UT"], True), ("US-CA", ["US-CA"], False),
     ("US-CA", ["US"], False), (None, ["FR"], False), (None, [], True)],
)  # fmt: skip
def test_an_item_is_not_shown_where_it_is_restricted(
    ask: Ask, person: Any, region: str | None, restricted: list[str], shown: bool
) -> None:
    mark(restricted_regions=restricted)

    where = {"processing_region": "us-east"} if (region or "").startswith("US") else {}
    assert is_shown(ask, person(region=region), **where) is shown


def test_of_a_country_without_its_part_every_restricted_part_counts(ask: Ask, person: Any) -> None:
    mark(restricted_regions=["US-UT"])

    assert not is_shown(ask, person(region="US"), processing_region="us-east")


def test_what_is_out_of_stock_is_not_recommended_unless_a_rule_says_so(ask: Ask, person: Any, api: Any) -> None:
    grown = person()
    mark(stock=1)
    assert is_shown(ask, grown)

    api.post(f"/api/v1/items/{ITEM}", {"stock": 0}, method="patch")
    assert not is_shown(ask, grown)

    display_rules.rule("preorders", effect="show", item_flags=["out_of_stock"], purposes=["recommendations"])
    assert is_shown(ask, grown)

    display_rules.rule("letters", item_flags=["out_of_stock"], regions=["DE"])
    assert not is_shown(ask, grown)


@pytest.mark.usefixtures("either_engine")
def test_promotions_are_restricted_where_the_item_itself_is_not(ask: Ask, person: Any) -> None:
    grown, teen = person(), person("minor")
    mark(categories=["snacks"])
    display_rules.rule("ads", "snacks", promotions_only=True, age_bands=["minor"])
    assert is_shown(ask, teen), "its place is not paid for"

    mark(is_promoted=True)
    assert not is_shown(ask, teen)
    assert is_shown(ask, grown)

    display_rules.rule("all-ads", promotions_only=True, regions=["DE"])
    assert not is_shown(ask, grown)


def test_where_nothing_is_known_all_that_could_be_hidden_is(
    ask: Ask, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown = person()

    def silent(*_: object) -> None:
        raise information.InformationUnavailable

    monkeypatch.setattr(information, "asked", silent)
    assert is_shown(ask, grown)
    fresh = {"legal_flags": [], "min_age": None, "restricted_regions": [], "stock": None, "is_promoted": False}
    for change in ({"legal_flags": ["weapons"]}, {"min_age": 6}, {"restricted_regions": ["FR"]}, {"stock": 0},
                   {"is_promoted": True}):  # fmt: skip
        mark(**{**fresh, **change})
        assert not is_shown(ask, grown), change


def test_one_officer_neither_writes_the_first_rule_about_a_flag_nor_removes_it(ask: Ask, person: Any) -> None:
    """A first rule shows to adults what was hidden from everybody."""
    mark(legal_flags=["alcohol"])
    anna, grown = make_officer("anna"), person()

    change = drafted(anna, Proposed("display_rule", "alcohol", RULE))
    with pytest.raises(ChangeRefused, match="only take permission away"):
        applying.apply_protectively(change, actor=anna, reason="")
    assert not is_shown(ask, grown)

    display_rules.rule("alcohol", item_flags=["alcohol"], age_bands=["minor"])
    gone = drafted(anna, Proposed("display_rule", "alcohol", None))
    with pytest.raises(ChangeRefused, match="only take permission away"):
        applying.apply_protectively(gone, actor=anna, reason="")
    assert is_shown(ask, grown)


def test_flags_and_rules_cost_no_statement(ask: Ask, person: Any, remember: Any, sql: list[str]) -> None:
    grown = person()
    remember(grown, [item.id for item in SHOP.items[:6]])

    def statements() -> tuple[int, int]:
        ask(grown)
        sql.clear()
        before = reading.executions()
        ask(grown)
        return len(sql), reading.executions() - before

    without = statements()
    mark(legal_flags=["alcohol"], min_age=18, stock=0, is_promoted=True)
    display_rules.rule("a", item_flags=["alcohol"], age_bands=["minor"])
    display_rules.rule("b", promotions_only=True, regions=["FR"])
    assert statements() == without


def test_the_tags_of_an_item_follow_its_columns_however_they_are_written() -> None:
    Item.objects.create(
        slug="wine", title="Wine", categories=["drinks"], legal_flags=["alcohol"], min_age=21, stock=0,
        restricted_regions=["US-UT", "SA"], is_promoted=True,
    )  # fmt: skip
    own = {
        "drinks", "#flag:alcohol", "#not-in:US-UT", "#not-in:SA", "#not-in-part-of:US", "#not-everywhere", "#min-age",
        "#over-18", "#out-of-stock", "#promoted",
    }  # fmt: skip
    row = Item.objects.get()
    assert set(row.tags) == own | {f"#ad:{tag}" for tag in own}

    Item.objects.update(legal_flags=[], min_age=None, stock=2, restricted_regions=[], is_promoted=False)
    assert Item.objects.get().tags == ["drinks"]
    assert hidden.EVERYTHING.isdisjoint(Item.objects.get().tags)
