"""Rules of masking: fields that no answer about a person holds, from the next request on, at every endpoint."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction

from oversight import guard
from oversight.changes import applying
from oversight.changes.documents import Proposed
from oversight.models import Change
from oversight.problems import ChangeRefused
from personalization.models import Item
from personalization.rules import masked
from policies.decisions import evaluate, information
from policies.decisions.evaluate import BatchEvaluation
from policies.engines.base import Obligation
from policies.models import MaskRule
from policies.models.masking import ANSWERED_FIELDS
from policies.registers.descriptors import mask_narrows
from tests.helpers import mask_rules, price_rules, ranking_rules
from tests.helpers.ranking_rules import VISITS
from tests.helpers.registers import drafted, make_officer
from tests.personalization.conftest import SHOP
from tests.personalization.prices.test_prices import person, prices, pricing

__all__ = ["person", "prices", "pricing"]
pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]
IDS = [item.id for item in SHOP.items]
REASONS = ("because", "despite", "why")


@pytest.fixture
def model_purposes(register_in_force: None) -> list[str]:
    ranking_rules.purpose_of_visits()
    return ["recommendations", VISITS]


@pytest.fixture
def reader(api: Any, deployed: Any, remember: Any) -> str:
    """A person with a history who agreed."""
    assert api.save("customer-1", "give").status_code == 201
    remember("customer-1", IDS[:8])
    return "customer-1"


def held(answer: Mapping[str, Any]) -> list[set[str]]:
    """Return of each item of an answer the fields that are masked."""
    assert answer["items"]
    return [{name for name, value in item.items() if value is None} for item in answer["items"]]


@pytest.mark.usefixtures("either_engine")
def test_a_rule_is_in_force_at_the_next_request_for_every_list(api: Any, ask: Ask, reader: str) -> None:
    def answers() -> list[dict[str, Any]]:
        visit = {"purpose": VISITS, "session": IDS[2:7], "region": "DE", "age_band": "adult"}
        return [
            ask(reader), ask("never-seen"), ask(reader, mode="non_profiled"), ask(reader, candidates=IDS[:20]),
            api.post("/api/v1/recommendations/visit", visit).json(),
            api.client.get("/api/v1/recommendations/general", headers={"Authorization": f"Bearer {api.token}"}).json(),
        ]  # fmt: skip

    before = answers()
    assert not any(fields for answer in before for fields in held(answer))

    mask_rules.rule("reasons", *REASONS)

    after = answers()
    assert [answer["level"] for answer in after] == [answer["level"] for answer in before]
    for was, now in zip(before, after, strict=True):
        assert all(fields == set(REASONS) for fields in held(now))
        assert [item["item"] for item in now["items"]] == [item["item"] for item in was["items"]]


def test_a_rule_is_about_its_purposes_and_people(ask: Ask, reader: str) -> None:
    mask_rules.rule("minors", "why", age_bands=["minor"])
    mask_rules.rule("letters", "title", purposes=["newsletter"])

    assert held(ask(reader))[0] == set()
    assert held(ask("never-seen"))[0] == {"why"}, "an age that is not known meets a rule about minors"


def test_advertising_stays_marked_where_its_reason_is_masked(ask: Ask, reader: str) -> None:
    Item.objects.update(is_promoted=True)
    mask_rules.rule("all", *ANSWERED_FIELDS)

    assert all(item["advertising"] is True and item["item"] for item in ask(reader)["items"])


def test_prices_are_masked_for_who_is_denied_too(prices: Ask, person: Any) -> None:
    price_rules.rule("all", below=20)
    mask_rules.rule("lists", "list_price")
    answers = [prices(person(), wine="9"), prices(person("refuse"), wine="9")]

    assert [answer["items"][0]["price"]["amount"] for answer in answers] == ["9.00", "10.00"]
    assert [answer["items"][0]["list_price"] for answer in answers] == [None, None]
    assert answers[0]["items"][0]["disclosure"], "the law wants it shown"


def _with_duty(monkeypatch: pytest.MonkeyPatch, properties: dict[str, Any]) -> None:
    decide = BatchEvaluation.decide

    def stricter(*args: Any) -> evaluate.Decision:
        decision = decide(*args)
        verdict = msgspec.structs.replace(
            decision.rendered.verdict, obligations=[Obligation(masked.DUTY, {"rule": "odd", **properties})]
        )
        rendered = evaluate.render_verdict(verdict, decision.rendered.facts, "test")
        return msgspec.structs.replace(decision, rendered=rendered)

    monkeypatch.setattr(BatchEvaluation, "decide", stricter)


NOT_KNOWN = [{"fields": ["why", "shoe_size"]}, {"fields": "why"}, {"fields": []}, {}, {"fields": [["why"]]}]


@pytest.mark.parametrize("properties", NOT_KNOWN, ids=str)
def test_a_rule_that_cannot_be_kept_is_no_permit(
    ask: Ask, reader: str, monkeypatch: pytest.MonkeyPatch, properties: dict[str, Any]
) -> None:
    _with_duty(monkeypatch, properties)

    answer = ask(reader)

    assert (answer["level"], answer["permitted_level"]) == ("none", "individual")
    assert answer["fallback"] == "obligation_not_supported"
    assert held(answer)[0] == {"title", "basis", *REASONS}, "what cannot be read masks all that can be masked"


def test_a_price_with_a_rule_that_cannot_be_kept_is_the_list_price(
    prices: Ask, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    price_rules.rule("all", below=20)
    _with_duty(monkeypatch, {"fields": ["shoe_size"]})

    assert prices(person(), wine="9")["personalized"] is False


def test_where_no_policy_decided_all_that_any_rule_names_is_masked(
    ask: Ask, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object, **__: object) -> None:
        raise information.InformationUnavailable

    monkeypatch.setattr(information, "asked", silent)
    assert held(ask(reader))[0] == set()
    mask_rules.rule("letters", "why", purposes=["newsletter"])
    assert held(ask(reader))[0] == {"why"}

    monkeypatch.setattr(masked, "of_all_rules", lambda: (_ for _ in ()).throw(OperationalError))
    assert held(ask(reader))[0] == {"title", "basis", *REASONS}, "what cannot be read masks all that can be masked"


def test_more_may_be_masked_by_one_officer_and_less_by_two() -> None:
    rule = MaskRule(slug="r", item_fields=["why"], regions=["DE"]).document()

    assert mask_narrows(None, rule)
    assert mask_narrows(rule, {**rule, "item_fields": ["because", "why"]})
    assert mask_narrows(rule, {**rule, "regions": []})
    assert not mask_narrows(rule, None)
    assert not mask_narrows(rule, {**rule, "item_fields": ["because"]})
    assert not mask_narrows(rule, {**rule, "purposes": ["recommendations"]})


@pytest.mark.usefixtures("register_in_force")
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"item_fields": ["wy"]}, "“wy” is not registered. Did you mean why?"),
        ({"item_fields": ["advertising"]}, "“advertising” is not registered"),
        ({"item_fields": "why"}, "This is no list of names."),
        ({"item_fields": ["why"], "purposes": ["recomendations"]}, "Did you mean recommendations?"),
    ],
)
def test_a_field_that_is_not_known_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MaskRule(**{"slug": "r", "reason": "R.", **fields}).full_clean()

    assert said in str(refused.value)


@pytest.mark.usefixtures("register_in_force")
def test_one_officer_masks_more_and_a_change_set_with_an_unknown_field_is_refused() -> None:
    anna = make_officer("anna")
    row = {"slug": "r", "item_fields": ["why"], "age_bands": [], "regions": [], "purposes": [], "reason": "R."}
    applying.apply_protectively(drafted(anna, Proposed("mask_rule", "r", row)), actor=anna, reason="")
    assert MaskRule.objects.get().item_fields == ["why"]

    with pytest.raises(ChangeRefused, match="only take permission away"):
        applying.apply_protectively(drafted(anna, Proposed("mask_rule", "r", None)), actor=anna, reason="")
    odd = {**row, "item_fields": ["shoe_size", "why"]}
    with pytest.raises(ChangeRefused, match="shoe_size"):
        applying.apply_protectively(drafted(anna, Proposed("mask_rule", "r", odd)), actor=anna, reason="")


def test_a_rule_that_masks_nothing_cannot_be_stored() -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), guard.writing("test"):
        MaskRule.objects.create(slug="r", item_fields=[], reason="R.")


@pytest.mark.usefixtures("register_in_force")
def test_the_list_says_what_is_masked_and_the_form_drafts_a_rule(officer: Any, send: Any) -> None:
    mask_rules.rule("reasons", "because", "why", age_bands=["minor"])

    page = officer.get("/admin/policies/maskrule/").content.decode()
    send(
        "/admin/policies/maskrule/add/", slug="prices", item_fields=["price", "list_price"], age_bands=[],
        regions="DE", purposes="", reason="A law.",
    )  # fmt: skip

    assert "Items of the person that speak for it, Reason in words" in page
    assert "minor, unknown age" in page
    assert Change.objects.get(register="mask_rule", key="prices").after["item_fields"] == ["price", "list_price"]
