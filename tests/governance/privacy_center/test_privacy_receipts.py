"""A person reads and keeps the receipts of their own choices, and nobody else's."""

import json
from dataclasses import replace

import pytest

from consent.models import Party, Purpose
from consent.receipts import freezing
from consent.receipts.verifying import verify_file
from consent.register import register
from policies.bundles import bundle_keys
from tests.helpers.visitor import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def chosen(visitor):
    visitor.press(visitor.form_of("recommendations"), "give")
    return visitor


def test_the_history_leads_to_a_receipt_that_can_be_read_and_kept(chosen):
    assert b"/privacy/receipts/1" in chosen.look().content

    page = chosen.browser.get("/privacy/receipts/1")
    file = chosen.browser.get("/privacy/receipts/1-signed.json")

    assert page.status_code == 200
    assert b"You allowed it" in page.content
    assert verify_file(file.content).receipt["consent_record"]["pii_principal_id"] == str(chosen.ref)
    assert "attachment" in file.headers["Content-Disposition"]


@pytest.mark.parametrize(("form", "member"), [("dpv", "@context"), ("kantara", "consentReceiptID")])
def test_it_comes_in_the_words_of_other_systems(chosen, form, member):
    assert member in json.loads(chosen.browser.get(f"/privacy/receipts/1-{form}.json").content)


@pytest.mark.parametrize("path", ["/privacy/receipts/1", "/privacy/receipts/1-signed.json"])
def test_somebody_else_does_not_get_it(chosen, path):
    other = Visitor("customer-2").come_in()
    other.browser.get("/privacy/sign-out")

    assert other.browser.get(path).status_code == 404
    assert chosen.browser.__class__().get(path).status_code == 403


def test_the_keys_are_published(client):
    bundle_keys.current()

    answer = client.get("/.well-known/jwks.json")

    assert answer.headers["Content-Type"] == "application/jwk-set+json"
    assert [key["crv"] for key in answer.json()["keys"]] == ["Ed25519", "P-256"]


def test_the_site_says_that_it_honours_global_privacy_control(client):
    answer = client.get("/.well-known/gpc.json")

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["gpc"] is True


def test_a_changed_level_stands_in_history_and_receipt(chosen):
    fields = {**chosen.form_of("recommendations")["fields"], "level": "segment"}
    chosen.browser.post("/privacy/level", fields)

    newest = chosen.look().context["history"][0]
    assert (str(newest["action"]), newest["limit"]) == ("You changed how personal it may be", "Group")
    page = chosen.browser.get("/privacy/receipts/2")
    assert b"How personal, at most" in page.content
    assert b"The text you were shown" in page.content, "the text of the consent that the change rests on"


def test_the_page_of_a_receipt_keeps_the_words_of_its_time(chosen):
    purpose = Purpose.objects.get(slug="recommendations")
    purpose.name, purpose.benefit = "Everything else", "Ours."
    register.save_purpose(purpose, actor="officer:anna")

    page = chosen.browser.get("/privacy/receipts/1").content

    assert b"Recommendations" in page
    assert b"Everything else" not in page


@pytest.fixture
def subscribed(visitor):
    visitor.press(visitor.form_of("newsletter"), "give")
    Party.objects.filter(slug="mail-house").update(name="Another House")
    return visitor


def test_recipients_are_named_as_the_register_named_them_then(subscribed):
    page = subscribed.browser.get("/privacy/receipts/1", headers={"Accept-Language": "de"}).content.decode()

    assert "Mail House" in page
    assert "mail-house" not in page
    assert "Another House" not in page
    files = {
        form: subscribed.browser.get(f"/privacy/receipts/1-{form}.json").json() for form in ("signed", "dpv", "kantara")
    }
    parties = files["signed"]["receipt"]["consent_record"]["parties"]
    assert {"mail-house": "Mail House"}.items() <= {party["party_id"]: party["party_name"] for party in parties}.items()
    (recipient,) = files["dpv"]["dpv:hasRecordOfActivity"]["dpv:hasProcess"][0]["dpv:hasRecipient"]
    assert (recipient["@id"], recipient["dpv:hasName"]) == ("urn:assent:party:mail-house", "Mail House")
    assert files["kantara"]["services"][0]["purposes"][0]["thirdPartyName"] == "Mail House"


def test_a_recipient_that_is_no_party_keeps_its_slug(visitor):
    Purpose.objects.filter(slug="newsletter").update(recipients=["not-a-party"])
    newsletter = Purpose.objects.get(slug="newsletter")
    register.publish_notice(purpose=newsletter, text="To others.", actor="officer:test")
    visitor.press(visitor.form_of("newsletter"), "give")

    assert "not a party" in visitor.browser.get("/privacy/receipts/1").content.decode()


def test_the_page_of_an_older_record_says_what_is_not_proven(chosen, monkeypatch):
    known = freezing.frozen

    def older(record):
        found = known(record)
        return replace(found, is_proven=False, notice={**found.notice, "text": "", "sha256": "", "is_proven": False})

    page = chosen.browser.get("/privacy/receipts/1").content.decode()
    assert "Not proven" not in page
    monkeypatch.setattr(freezing, "frozen", older)

    page = chosen.browser.get("/privacy/receipts/1").content.decode()
    assert "Not proven: what was registered about this use when you chose." in page
    assert "Not proven: which text you were shown." in page
