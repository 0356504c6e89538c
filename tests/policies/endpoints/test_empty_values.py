"""Values that state nothing, on every interface alike.

The kind: a member that is there but says nothing usable (empty, blank, a word in the wrong case, a word of no
vocabulary) was read as if it were absent, so the widest default answered in its place. Each is refused by its path and
form, or answered with a reason of its own; a value is never repeated.
"""

from typing import Any

import pytest

from policies.endpoints import native
from tests.helpers import recent
from tests.helpers.wsgi_calls import EVALUATION, EVALUATIONS, WsgiResponse, assert_problem, call, changed, question

BLANK = ["", " ", "\t\n", "\u00a0", "\u200b", "\ufeff"]
TEXTS = [
    "subject.type",
    "subject.id",
    "subject.properties.region",
    "subject.properties.age_band",
    "action.name",
    "action.properties.purpose",
    "action.properties.requested_level",
    "action.properties.recipient",
    "resource.type",
    "resource.id",
    "resource.properties.model",
    "context.processing_region",
    "context.channel",
]
OUTSIDE = {
    "action.properties.requested_level": (["INDIVIDUAL", "personal", "individual "], "none, segment, behavioral"),
    "subject.properties.age_band": (["Child", "MINOR", "17"], "adult, child, minor"),
    "subject.properties.region": (["de", "DEU", "Germany", "US_CA"], "two letters, such as DE"),
    "context.processing_region": (["EU-Central", "eu central"], "such as eu-central"),
    "context.channel": (["EMAIL", "e-mail", "fax"], "app, email, phone"),
}
CASES = [(place, value, form) for place, (values, form) in OUTSIDE.items() for value in values]


def _with(place: str, value: Any) -> dict[str, Any]:
    if place.startswith("subject.properties."):
        return changed("subject.properties", {place.rpartition(".")[2]: value})
    return changed(place, value)


@pytest.fixture(params=[EVALUATION, native.PATH])
def ask(request: pytest.FixtureRequest, shop_token: str) -> Any:
    """Ask one question by AuthZEN, then by the native interface."""
    return lambda document: call(document, shop_token, path=request.param)


def _detail(answer: WsgiResponse) -> str:
    assert_problem(answer, 400, "invalid_request")
    return str(answer.json()["detail"])


@pytest.mark.parametrize("value", BLANK, ids=ascii)
@pytest.mark.parametrize("place", TEXTS)
def test_a_blank_member_is_refused_by_name(ask: Any, place: str, value: str) -> None:
    assert place in _detail(ask(_with(place, value)))


def test_a_blank_category_is_refused_by_name(ask: Any) -> None:
    assert "data_categories" in _detail(ask(changed("resource.properties.data_categories", ["purchases", " "])))


@pytest.mark.parametrize(("place", "value", "form"), CASES)
def test_a_word_outside_the_form_is_refused(ask: Any, place: str, value: str, form: str) -> None:
    detail = _detail(ask(_with(place, value)))

    assert place in detail
    assert form in detail
    assert value not in detail.replace(form, "")


@pytest.mark.parametrize("place", TEXTS)
def test_null_is_absent_where_a_member_is_optional(ask: Any, place: str) -> None:
    optional = "properties" in place or place.startswith("context")

    answer = ask(_with(place, None))

    assert answer.status == (200 if optional else 400)


def test_an_item_of_a_batch_is_refused_alone(shop_token: str) -> None:
    items = [question(), changed("context.processing_region", ""), changed("action.properties.requested_level", "")]

    authzen = call({"evaluations": items}, shop_token, path=EVALUATIONS).json()["evaluations"]
    ours = call({"decisions": items}, shop_token, path=native.PATH).json()["decisions"]

    assert [each["decision"] for each in authzen] == [each["decision"] for each in ours] == [True, False, False]
    assert "context.processing_region" in authzen[1]["context"]["error"]["message"]
    assert "requested_level" in ours[2]["error"]["message"]


REASONS = {
    "a purpose mistyped": (changed("action.properties.purpose", "recomendations"), "purpose_unknown"),
    "a purpose in capitals": (changed("action.properties.purpose", "Recommendations"), "purpose_unknown"),
    "no purpose": (changed("action.properties", {"requested_level": "segment"}), "purpose_missing"),
    "another type of subject": (changed("subject.type", "user"), "subject_type_unknown"),
    "a type in capitals": (changed("subject.type", "Data_Subject"), "subject_type_unknown"),
    "a recipient in capitals": (changed("action.properties.recipient", "MAIL-HOUSE"), "recipient_unknown"),
    "an action in capitals": (changed("action.name", "Personalize"), "action_not_allowed"),
    "a category in capitals": (changed("resource.properties.data_categories", ["Views"]), "category_not_allowed"),
    "a region of processing": (changed("context.processing_region", "eu-centrall"), "residency"),
}


@pytest.mark.parametrize(("document", "code"), REASONS.values(), ids=REASONS)
def test_each_mistake_has_a_reason_of_its_own(ask: Any, document: dict[str, Any], code: str) -> None:
    answer = ask(document).json()

    assert answer["decision"] is False
    reasons = answer["reasons"] if "reasons" in answer else answer["context"]["reasons"]
    assert code in [reason["code"] for reason in reasons]


def test_the_officer_reads_the_usual_type(shop_token: str) -> None:
    answer = call(changed("subject.type", "user"), shop_token, path=native.PATH).json()

    assert "data_subject" in answer["reasons"][0]["officer"]


@pytest.mark.parametrize("path", ["/api/v1/recommendations", "/api/v1/events"])
@pytest.mark.parametrize(
    ("member", "values", "form"),
    [
        ("purpose", ["", "Recommendations"], "small letters"),
        ("processing_region", ["", " ", "EU-Central"], "such as eu-central"),
        ("subject.region", ["", "de", "DEU"], "two letters, such as DE"),
        ("subject.type", [""], "at least 1"),
    ],
)
def test_the_recommender_refuses_the_same(
    shop_token: str, path: str, member: str, values: list[str], form: str
) -> None:
    event = {"event_id": "e-1", "type": "view", "item": "kettle", "occurred_at": recent.TEXT}
    for value in values:
        inner = member.rpartition(".")[2]
        changes = {"subject": {"id": "c", inner: value}} if "." in member else {"subject": {"id": "c"}, member: value}
        answer = call({**(event if "events" in path else {}), **changes}, shop_token, path=path)

        assert_problem(answer, 400, "invalid_request")
        (message,) = answer.json()["errors"][member]
        assert form in message


@pytest.mark.parametrize("value", ["", " ", "INDIVIDUAL", "personal"])
def test_the_recommender_refuses_a_level_of_none(shop_token: str, value: str) -> None:
    answer = call({"subject": {"id": "c"}, "requested_level": value}, shop_token, path="/api/v1/recommendations").json()

    assert list(answer["errors"]) == ["requested_level"]
    assert "'contextual' or 'individual'" in answer["errors"]["requested_level"][0]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/api/v1/decision", "/api/v1/decisions"),
        ("/api/v1/decisions/", "/api/v1/decisions"),
        ("/api/v1/Recommendation", "/api/v1/recommendations"),
        ("/access/v1/evalution", "/access/v1/evaluation"),
        ("/api/v1/customer-4711", None),
    ],
)
def test_a_mistyped_path_is_answered_with_a_hint(shop_token: str, path: str, meant: str | None) -> None:
    answer = call(question(), shop_token, path=path)

    assert_problem(answer, 404, "not_found")
    detail = answer.json()["detail"]
    assert detail.endswith(f"Did you mean {meant}?") if meant else detail == "There is no such endpoint."
