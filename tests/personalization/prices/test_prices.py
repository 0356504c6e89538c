"""Prices of one person: by consent, within bounds, disclosed; the list price for everybody who opted out."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from consent.models import Purpose
from oversight import guard
from oversight.changes import applying
from oversight.changes.documents import Proposed
from oversight.problems import ChangeRefused
from personalization.models import Item
from policies.bundles import publishing
from policies.registers.descriptors import price_narrows
from tests.helpers import price_rules
from tests.helpers.registers import drafted, make_officer

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]
RULE = {"slug": "all", "regions": [], "purposes": [], "most_below": 20, "most_above": 5, "reason": "A decision."}


@pytest.fixture
def pricing(register_in_force: None) -> None:
    """A purpose of personal prices, and two items with a list price."""
    with transaction.atomic(), guard.writing("test"):
        Purpose.objects.create(
            slug="personal_pricing", name="Personal prices", legal_basis="consent", actions=["price"],
            data_categories=["purchases"],
        )  # fmt: skip
    publishing.publish(reason="test", actor="test")
    Item.objects.create(slug="wine", title="Wine", price="10.00", currency="EUR")
    Item.objects.create(slug="cup", title="Cup", price="3.33", currency="EUR")
    Item.objects.create(slug="free", title="No list price")


@pytest.fixture
def prices(api: Any, pricing: None) -> Ask:
    def ask(person: str, language: str = "en", **wanted: str) -> dict[str, Any]:
        items = [{"item": item, "amount": amount} for item, amount in wanted.items()]
        answer = api.post(
            "/api/v1/prices", {"subject": {"id": person}, "items": items}, **{"Accept-Language": language}
        )
        assert answer.status_code == 200, answer.content
        return answer.json()

    return ask


@pytest.fixture
def person(api: Any, pricing: None) -> Callable[..., str]:
    def of(choice: str = "give", age: str = "adult", region: str = "DE") -> str:
        name = f"{choice}-{age}-{region}"
        subject = {"id": name, "region": region, "age_band": age}
        choices = [{"purpose": "personal_pricing", "choice": choice}]
        answer = api.post("/api/v1/consents", {"subject": subject, "choices": choices})
        assert answer.status_code == 201, answer.content
        return name

    return of


def amounts(answer: dict[str, Any]) -> list[str | None]:
    return [each["price"] and each["price"]["amount"] for each in answer["items"]]


@pytest.mark.usefixtures("either_engine")
def test_a_price_keeps_to_the_bounds_and_is_disclosed(prices: Ask, person: Any) -> None:
    buyer = person()
    assert amounts(prices(buyer, wine="1.00")) == ["10.00"], "without a rule the list price"

    price_rules.rule("all", below=20, above=5)

    answer = prices(buyer, wine="1.00", cup="99", free="1")
    assert amounts(answer) == ["8.00", "3.49", None]
    assert answer["personalized"] is True
    wine = answer["items"][0]
    assert (wine["list_price"], wine["personalized"]) == ({"amount": "10.00", "currency": "EUR"}, True)
    assert wine["disclosure"]["code"] == "personalized_price"
    assert amounts(prices(buyer, wine="9.5")) == ["9.50"]
    assert prices(buyer, wine="10")["items"][0]["disclosure"], "also where it came to the list price"


@pytest.mark.parametrize(("language", "word"), [("de", "automatisiert"), ("fr", "automatis"), ("es", "automatizad")])
def test_the_disclosure_is_in_the_persons_language(prices: Ask, person: Any, language: str, word: str) -> None:
    price_rules.rule("all", below=20)

    assert word in prices(person(), language, wine="9")["items"][0]["disclosure"]["text"]


def test_where_the_law_says_so_never_above_the_list_price(prices: Ask, person: Any) -> None:
    price_rules.rule("all", below=20, above=20)
    price_rules.rule("de", below=100, above=0, regions=["DE"])

    assert amounts(prices(person(), wine="15", cup="0")) == ["10.00", "2.67"]
    assert amounts(prices(person(region="FR"), wine="15")) == ["12.00"]


@pytest.mark.parametrize(
    ("choice", "age", "region"),
    [("refuse", "adult", "DE"), ("refuse", "adult", "FR"), ("give", "minor", "DE"), (None, None, None)],
)
def test_who_opted_out_has_the_list_price_as_everybody_else(
    prices: Ask, person: Any, choice: str | None, age: str, region: str
) -> None:
    price_rules.rule("all", below=50, above=50)
    name = person(choice, age, region) if choice else "never-seen"

    for wanted in ("1", "10", "14"):
        answer = prices(name, wine=wanted, cup=wanted)
        assert amounts(answer) == ["10.00", "3.33"]
        assert not answer["personalized"]
        assert all(each["disclosure"] is None for each in answer["items"])
        assert answer["reasons"]


def test_a_withdrawal_counts_for_the_next_price(prices: Ask, person: Any, api: Any) -> None:
    price_rules.rule("all", below=50)
    buyer = person()
    assert amounts(prices(buyer, wine="5")) == ["5.00"]

    api.save(buyer, "withdraw", purpose="personal_pricing")

    assert amounts(prices(buyer, wine="5")) == ["10.00"]


def test_an_obligation_that_is_not_known_means_the_list_price(
    prices: Ask, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    price_rules.rule("all", below=50)
    buyer = person()
    monkeypatch.setattr("personalization.prices.pricing._FULFILLED", frozenset({"price_bounds"}))

    assert amounts(prices(buyer, wine="5")) == ["10.00"]


def test_what_is_not_offered_has_no_price(prices: Ask, person: Any) -> None:
    Item.objects.filter(pk="wine").update(is_active=False)

    assert amounts(prices(person(), wine="5", unheard="5")) == [None, None]


@pytest.mark.parametrize(
    "items",
    [[], [{"item": "wine", "amount": 5}], [{"item": "wine", "amount": "-5"}], [{"item": "a,b", "amount": "5"}],
     [{"item": "wine", "amount": "5"}] * 2, [{"item": f"i{n}", "amount": "5"} for n in range(101)]],
)  # fmt: skip
def test_what_is_no_list_of_prices_is_refused(api: Any, items: Any) -> None:
    assert api.post("/api/v1/prices", {"subject": {"id": "x"}, "items": items}).status_code == 400


def test_one_officer_lowers_bounds_and_neither_adds_nor_removes_a_rule(register_in_force: None) -> None:
    anna = make_officer("anna")

    with pytest.raises(ChangeRefused, match="only take permission away"):
        applying.apply_protectively(drafted(anna, Proposed("price_rule", "all", RULE)), actor=anna, reason="")

    assert price_narrows(RULE, {**RULE, "most_below": 10, "most_above": 0})
    assert not price_narrows(RULE, {**RULE, "most_above": 6})
    assert not price_narrows(RULE, {**RULE, "regions": ["DE"]})
    assert not price_narrows(None, RULE)
    assert not price_narrows(RULE, None)


def test_the_page_drafts_a_rule(officer: Any, send: Any, register_in_force: None) -> None:
    price_rules.rule("all", below=20, above=5)

    assert "80 to 105 % of the list price" in officer.get("/admin/policies/pricerule/").content.decode()
    send(
        "/admin/policies/pricerule/add/", slug="de", regions="DE", purposes="", most_below="100", most_above="0",
        reason="A law.",
    )  # fmt: skip
