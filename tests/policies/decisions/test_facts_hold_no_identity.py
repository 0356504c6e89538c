"""Facts hold words of the registers and nothing else, whatever a caller writes wherever."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.levels import LEVELS
from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from policies.bundles import loading
from policies.decisions import evaluate
from policies.decisions.facts import ACTIONS, AGE_BANDS, CHANNELS, SOURCES, UNKNOWN
from policies.endpoints.authzen import question_of
from policies.models import ActiveBundle
from tests.helpers.wsgi_calls import call, question

MAIL = "jane.doe@example.org"
FULL: dict[str, Any] = {
    "subject": {
        "type": "data_subject",
        "id": "customer-1",
        "properties": {"region": "DE", "age_band": "adult", "name": "x"},
    },
    "action": {
        "name": "personalize",
        "properties": {"purpose": "recommendations", "requested_level": "individual", "recipient": "mail-house"},
    },
    "resource": {
        "type": "personalization",
        "id": "home-feed",
        "properties": {"data_categories": ["purchases"], "model": "basket@1", "owner": "x"},
    },
    "context": {"processing_region": "eu-central", "channel": "web", "note": "x", "signals": {"gpc": False}},
}


def _texts(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(document, str):
        return [at]
    inner: Any = enumerate(document) if isinstance(document, list) else ()
    if isinstance(document, dict):
        inner = document.items()
    return [place for key, value in inner for place in _texts(value, (*at, key))]


def _replaced(places: list[tuple[Any, ...]], text: str) -> dict[str, Any]:
    document = copy.deepcopy(FULL)
    for place in places:
        part: Any = document
        for key in place[:-1]:
            part = part[key]
        part[place[-1]] = text
    return document


PLACES = _texts(FULL)
OF_FORM = {"region", "age_band", "requested_level", "processing_region", "channel"}


@pytest.mark.parametrize("places", [*([place] for place in PLACES), PLACES], ids=[*map(str, PLACES), "everywhere"])
def test_an_address_is_in_neither_facts_nor_log_nor_answer(
    shop_token: str, spooled: Callable[[], list[dict[str, Any]]], places: list[tuple[Any, ...]]
) -> None:
    body = _replaced(places, MAIL)

    answer = call(body, shop_token)

    # Members of a closed vocabulary, or of a form, are refused before there are facts.
    assert answer.status == (400 if OF_FORM.intersection(place[-1] for place in places) else 200)
    facts = evaluate.preview(question_of(body)).facts.decode() if answer.status == 200 else ""
    for text in (answer.body.decode(), facts, json.dumps(spooled())):
        assert "jane" not in text
        assert "example.org" not in text


def test_the_pseudonym_is_in_neither_facts_nor_log_nor_answer(
    shop_token: str, spooled: Callable[[], list[dict[str, Any]]]
) -> None:
    ref = subject_ref("customer-1")

    answer = call(question(), shop_token)

    for text in (answer.body.decode(), json.dumps(spooled())):
        assert str(ref) not in text
        assert ref.hex not in text


def _words(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {word for part in inner for word in _words(part)}


def _vocabulary() -> set[str]:
    bundle = loading.loaded(ActiveBundle.objects.get().bundle_id)
    data = bundle.data
    consent_states = {
        "given", "refused", "withdrawn", "expired", "renewal_required", "never_asked", "not_required",
    }  # fmt: skip
    return {
        UNKNOWN, "available", *ACTIONS, *AGE_BANDS, *CHANNELS, *SOURCES, *consent_states, *LEVELS,
        *bundle.purposes, *bundle.categories, *bundle.recipients, *data["residency"]["regions"],
        *data["residency"]["processing"], *data["jurisdictions"],
    }  # fmt: skip


@settings(max_examples=80)
@given(data=st.data())
def test_every_word_of_the_facts_is_in_the_vocabulary(standing_shop: str, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.sampled_from(PLACES), unique=True))
    word = data.draw(st.text(max_size=20) | st.sampled_from(sorted(_vocabulary())))

    try:
        asked = question_of(_replaced(places, word))
    except ValueError:
        return  # refused, so there are no facts; words of the vocabulary are not
    facts = evaluate.preview(asked).facts

    assert _words(json.loads(facts)) <= _vocabulary()


def test_a_source_that_is_in_no_vocabulary_is_not_passed_on(
    shop_token: str, spooled: Callable[[], list[dict[str, Any]]]
) -> None:
    person = {"id": "customer-2", "region": "DE", "age_band": "adult"}
    choice = {"purpose": "recommendations", "choice": "give"}
    body = {"subject": person, "choices": [choice], "source": "jane_doe"}
    assert call(body, shop_token, path="/api/v1/consents").status == 201

    assert call(question("customer-2"), shop_token).json()["decision"] is True

    assert DataSubject.objects.get(ref=subject_ref("customer-2")).consents["recommendations"]["src"] == "jane_doe"
    assert spooled()[-1]["facts"]["consent"]["source"] == UNKNOWN


def test_the_log_names_a_person_by_a_tag_of_the_month(
    shop_token: str, spooled: Callable[[], list[dict[str, Any]]]
) -> None:
    for person in ("customer-1", "customer-1", "customer-2"):
        call(question(person), shop_token)

    first, again, other = (entry["subject"] for entry in spooled())

    assert first == again != other
    assert len(first) == 32


def test_a_log_entry_has_the_members_of_the_decision_contract(
    shop_token: str, spooled: Callable[[], list[dict[str, Any]]]
) -> None:
    answer = call(question(), shop_token).json()

    (entry,) = spooled()

    assert set(entry) == {
        "id", "at_us", "caller", "subject", "subject_revision", "duration_us", "outcome", "engine", "facts_digest",
        "level", "reasons", "obligations", "legal_basis", "bundle_revision", "facts",
    }  # fmt: skip
    assert entry["id"] == answer["context"]["decision_id"]
    assert entry["caller"] == "service:shop"
    assert (entry["facts"]["action"], entry["facts"]["purpose"]) == ("personalize", "recommendations")
