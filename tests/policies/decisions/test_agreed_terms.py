"""A yes covers what its notice named: a register that says more later does not stretch it, in either engine."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from common import policy_data
from consent.models import NoticeTerms, Purpose
from consent.register import register
from policies import engines
from policies.engines.opa import OpaEngine
from tests.helpers.wsgi_calls import call, question

Decide = Callable[..., dict[str, Any]]


@pytest.fixture(params=["embedded", "opa"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "opa":
        opa: OpaEngine = request.getfixturevalue("opa_engine")
        monkeypatch.setattr(engines, "for_revision", lambda *_: opa)


@pytest.fixture
def decide(shop_token: str, engine: None) -> Decide:
    def asked(person: str = "customer-1", **about: Any) -> dict[str, Any]:
        action = {
            "name": about.pop("action", "personalize"),
            "properties": {
                "purpose": about.pop("purpose", "recommendations"),
                "requested_level": about.pop("level", "individual"),
                **({"recipient": about.pop("recipient")} if "recipient" in about else {}),
            },
        }
        data = about.pop("data", ["views"])
        resource = {"type": "personalization", "id": "feed", "properties": {"data_categories": data} if data else {}}
        context = {"processing_region": "eu-central", **about}
        answer = call(question(person, action=action, resource=resource, context=context), shop_token)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json()
        return found

    return asked


@pytest.fixture
def save(shop_token: str) -> Callable[..., dict[str, Any]]:
    def saved(choice: str = "give", purpose: str = "recommendations", person: str = "customer-1", **more: Any) -> Any:
        body = {
            "subject": {"id": person, "region": "DE", "age_band": "adult"},
            "choices": [{"purpose": purpose, "choice": choice, **more}],
        }
        answer = call(body, shop_token, path="/api/v1/consents")
        assert answer.status == 201, answer.body
        return answer.json()

    return saved


def _widen(slug: str = "recommendations", **more: list[str] | str) -> None:
    purpose = Purpose.objects.get(slug=slug)
    for name, value in more.items():
        setattr(purpose, name, value if isinstance(value, str) else [*getattr(purpose, name), *value])
    register.save_purpose(purpose, actor="officer:test")


def _publish(slug: str = "recommendations", *, is_material: bool = False) -> None:
    purpose = Purpose.objects.get(slug=slug)
    register.publish_notice(purpose=purpose, text="More.", actor="officer:test", is_material=is_material)


def _reasons(answer: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(reason["code"], reason.get("detail")) for reason in answer["context"]["reasons"]]


def _excluded(answer: dict[str, Any]) -> list[str]:
    duties = answer["context"]["obligations"]
    return [c for duty in duties if duty["type"] == "exclude_categories" for c in duty["properties"]["categories"]]


@pytest.mark.parametrize("published", [False, True])
def test_added_data_is_left_out_for_earlier_consenters(decide: Decide, published: bool) -> None:
    _widen(data_categories=["location"])
    if published:
        _publish()

    answer = decide(data=["views", "location"])

    assert answer["decision"] is True
    assert _excluded(answer) == ["location"]
    assert ("renewal_required", "location") in _reasons(answer)


def test_added_data_alone_asks_for_renewal(decide: Decide) -> None:
    _widen(data_categories=["location"])

    answer = decide(data=["location"])

    assert answer["decision"] is False
    assert _reasons(answer) == [("renewal_required", "location")]


def test_what_was_agreed_stays_permitted_as_it_was(decide: Decide) -> None:
    before = decide(data=["views"])
    _widen(data_categories=["location"], recipients=["mail-house"], actions=["share"], channels=["sms"])

    after = decide(data=["views"])

    assert (after["decision"], _reasons(after), _excluded(after)) == (True, _reasons(before), [])


def test_a_question_without_data_leaves_out_what_is_new(decide: Decide) -> None:
    _widen(data_categories=["location", "device"])

    answer = decide(data=[])

    assert answer["decision"] is True
    assert _excluded(answer) == ["device", "location"]


def test_a_yes_to_the_newest_notice_covers_what_is_new(decide: Decide, save: Any) -> None:
    _widen(data_categories=["location"], actions=["share"], recipients=["parcel-carrier"])
    _publish()
    save()

    assert _excluded(decide(data=["views", "location"])) == []
    assert decide(data=["location"], action="share", recipient="parcel-carrier")["decision"] is True


def test_a_yes_without_a_new_notice_covers_no_more(decide: Decide, save: Any) -> None:
    _widen(data_categories=["location"])
    save("give", person="customer-2")

    assert decide("customer-2", data=["location"])["decision"] is False


@pytest.mark.parametrize(
    ("widened", "asked"),
    [
        ({"actions": ["share"]}, {"action": "share"}),
        ({"actions": ["price"]}, {"action": "price"}),
        ({"recipients": ["mail-house"]}, {"recipient": "mail-house"}),
        ({"channels": ["sms"]}, {"channel": "sms"}),
    ],
)
def test_a_new_action_recipient_or_channel_asks_for_renewal(
    decide: Decide, save: Any, widened: dict[str, list[str]], asked: dict[str, str]
) -> None:
    _widen(**widened)
    _publish()

    answer = decide(**asked)
    save()

    assert answer["decision"] is False
    assert ("renewal_required", *asked.values()) in _reasons(answer)
    assert "renewal_required" not in dict(_reasons(decide(**asked)))


def test_the_level_stays_the_one_agreed_to(decide: Decide, save: Any) -> None:
    _widen(max_level="behavioral")
    _publish(is_material=True)
    save()
    _widen(max_level="individual")
    _publish()

    answer = decide(level="individual")
    save()

    assert answer["context"]["level"] == "behavioral"
    assert _reasons(answer) == [("renewal_required", "level")]
    assert decide(level="individual")["context"]["level"] == "individual"


def test_an_inherited_yes_covers_what_the_broader_terms_name(decide: Decide, save: Any) -> None:
    save("give", "personalization", "customer-3")

    assert decide("customer-3")["context"]["level"] == "behavioral", "the level of the broader purpose"
    assert _reasons(decide("customer-3", action="train")) == [("renewal_required", "train")]


def test_an_inherited_yes_is_not_stretched_by_added_data(decide: Decide, save: Any) -> None:
    save("give", "personalization", "customer-3")
    for slug in ("personalization", "recommendations"):
        _widen(slug, data_categories=["location"])
        _publish(slug)

    assert _excluded(decide("customer-3", data=["views", "location"])) == ["location"]
    assert _reasons(decide("customer-3", data=["location"])) == [("renewal_required", "location")]


def test_a_no_to_a_broader_purpose_stays_a_no(decide: Decide, save: Any) -> None:
    save("give", "personalization", "customer-3")
    save("withdraw", "personalization", "customer-3")
    _widen("personalization", data_categories=["location"])

    assert _reasons(decide("customer-3", data=["views"])) == [("consent_withdrawn", None)]


def test_a_new_parent_lends_its_yes_only_by_a_notice(decide: Decide, save: Any) -> None:
    save("give", "personalization", "customer-3")
    newsletter = Purpose.objects.get(slug="newsletter")
    newsletter.parent = Purpose.objects.get(slug="personalization")
    newsletter.actions, newsletter.data_categories = ["personalize"], ["views"]
    newsletter.recipients = newsletter.channels = []
    newsletter.max_level = "behavioral"
    register.save_purpose(newsletter, actor="officer:test")

    before = decide("customer-3", purpose="newsletter")
    _publish("newsletter")

    assert ("renewal_required", None) in _reasons(before)
    assert before["decision"] is False
    assert decide("customer-3", purpose="newsletter")["decision"] is True


def test_a_yes_to_a_part_covers_what_it_names(decide: Decide, save: Any) -> None:
    _widen(data_categories=["location", "device"])
    _publish()
    save("give", data_category="location")

    assert decide(data=["location"])["decision"] is True
    assert _excluded(decide(data=["views", "location", "device"])) == ["device"]
    assert _excluded(decide(data=[])) == ["device"]


def test_a_no_to_what_is_new_is_a_refusal(decide: Decide, save: Any) -> None:
    _widen(data_categories=["location"])
    _publish()
    save("refuse", data_category="location")

    answer = decide(data=["views", "location"])

    assert ("consent_refused", "location") in _reasons(answer)
    assert _reasons(decide(data=["location"])) == [("consent_refused", "location")]
    assert _excluded(decide(data=[])) == ["location"]


def test_a_no_to_a_new_action_is_a_refusal_and_the_yes_stands(decide: Decide, save: Any) -> None:
    _widen(actions=["share"], data_categories=["location"])
    _publish()
    asked = decide(action="share", recipient="mail-house")
    assert ("renewal_required", "share") in _reasons(asked)

    save("keep", notice_version=2)

    refused = decide(action="share", recipient="mail-house")
    assert refused["decision"] is False
    assert "consent_refused" in [code for code, _detail in _reasons(refused)]
    assert "renewal_required" not in [code for code, _detail in _reasons(refused)]
    assert decide(data=["views"])["decision"] is True
    # What a question can be about alone is declined alone.
    assert ("renewal_required", "location") in _reasons(decide(data=["location"]))

    save("give", notice_version=2)
    assert "consent_refused" not in [code for code, _ in _reasons(decide(action="share", recipient="mail-house"))]


def test_an_adjusted_yes_keeps_its_terms(decide: Decide, save: Any) -> None:
    _widen(data_categories=["location"])
    _publish()
    save("adjust", max_level="behavioral")

    assert decide(data=["location"])["decision"] is False


def test_what_the_register_gave_up_and_took_up_again_was_agreed(decide: Decide) -> None:
    purpose = Purpose.objects.get(slug="recommendations")
    every, purpose.data_categories = purpose.data_categories, ["purchases"]
    register.save_purpose(purpose, actor="officer:test")

    assert decide(data=["views"])["decision"] is False, "narrower at once, for everybody"

    purpose.data_categories = every
    register.save_purpose(purpose, actor="officer:test")
    assert decide(data=["views"])["decision"] is True


def test_a_purpose_on_another_basis_asks_nobody(decide: Decide, save: Any) -> None:
    _widen("order_fulfilment", data_categories=["location"])
    _publish("order_fulfilment")

    answer = decide(purpose="order_fulfilment", action="collect", data=["location"])

    assert "renewal_required" not in dict(_reasons(answer))


def test_of_a_version_without_terms_nothing_was_agreed(decide: Decide, as_attacker: Callable[[str], None]) -> None:
    as_attacker("DELETE FROM consent_noticeterms WHERE purpose = 'recommendations'")
    policy_data.changed(reason="test", actor="test")

    assert _reasons(decide(data=["views"])) == [("renewal_required", "personalize")]


def test_facts_carry_the_difference_and_no_version(decide: Decide, spooled: Any) -> None:
    _widen(data_categories=["location"])
    _publish()
    decide(data=["views", "location"])

    consent = spooled()[-1]["facts"]["consent"]
    assert (consent["refused_categories"], consent["unagreed_categories"]) == (["location"], ["location"])
    assert "sha256" not in json.dumps(consent)
    assert NoticeTerms.objects.filter(purpose="recommendations").count() == 3


def test_every_door_keeps_to_the_agreement(decide: Decide, shop_token: str) -> None:
    _widen(data_categories=["location"])
    asked = question(
        resource={"type": "personalization", "id": "feed", "properties": {"data_categories": ["location"]}}
    )

    batch = call({"evaluations": [asked, asked]}, shop_token, path="/access/v1/evaluations").json()["evaluations"]
    answered = call(asked, shop_token, path="/api/v1/decisions").json()

    assert [each["decision"] for each in batch] == [False, False]
    assert (answered["decision"], answered["requestable"]) == (False, True)
    assert [reason["code"] for reason in answered["reasons"]] == ["renewal_required"]
    assert {"code": "grant_consent", "purpose": "recommendations", "to_level": "individual"} in answered["would_change"]


def test_a_yes_is_offered_where_some_data_was_not_agreed(shop_token: str) -> None:
    _widen(data_categories=["location"])
    data = {"data_categories": ["views", "location"]}
    asked = question(resource={"type": "personalization", "id": "feed", "properties": data})

    answered = call(asked, shop_token, path="/api/v1/decisions").json()

    assert answered["decision"] is True
    assert {"code": "grant_consent", "purpose": "recommendations", "to_level": "individual"} in answered["would_change"]


def test_the_state_names_what_is_new(decide: Decide, shop_token: str, save: Any) -> None:
    def new() -> Any:
        answer = call({"subject": {"id": "customer-1"}}, shop_token, path="/api/v1/consents/state")
        return answer.json()["purposes"]["recommendations"]["beyond"]

    before = new()
    _widen(data_categories=["location", "device"], actions=["share"])
    _publish()
    save("refuse", data_category="device")
    after = new()
    save()

    assert before is None
    assert after == {
        "data_categories": ["location"], "recipients": [], "channels": [], "actions": ["share"], "agreed_level": None
    }  # fmt: skip
    assert new() is None


def test_a_widening_adds_one_kind_of_facts_for_each_it_missed(decide: Decide, save: Any, spooled: Any) -> None:
    for number in range(3):
        save("give", person=f"customer-{number}")
        _widen(data_categories=[f"kind_{number}"])
        _publish()
    asked = ["views", *(f"kind_{number}" for number in range(3))]
    for number in range(3):
        assert len(_excluded(decide(f"customer-{number}", data=asked))) == 3 - number

    assert len({entry["facts_digest"] for entry in spooled()[-3:]}) == 3
