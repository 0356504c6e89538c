"""Receipts that say more, less or other than the record, each with its right value.

Kinds: content composed from today's register, a form that cannot say no, terms the vocabulary does not have, and a
change of the level that leaves no trace.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from audit import signing
from audit.jws import NotGenuine
from common.canonical import sha256
from consent.ledger import ledger
from consent.ledger.proof import Asked
from consent.ledger.verification import verify_ledger
from consent.models import ConsentRecord, NoticeTerms, Party, Purpose, PurposeText, RegisterSnapshot
from consent.pseudonyms import subject_ref
from consent.receipts import exports, issuing
from consent.receipts.verifying import verify_file
from consent.register import register
from policies.models import SensitiveCategory
from tests.helpers.paths import CHECKOUT
from tests.helpers.visitor import Visitor

pytestmark = pytest.mark.django_db
REF = subject_ref("customer-1")
ACTOR = "officer:anna"
DPV = json.loads((CHECKOUT / "tests/data/dpv-2.3-terms.json").read_text())
NAMESPACES = {
    "https://w3id.org/dpv#": {*DPV["dpv"], *DPV["properties"]},
    "https://w3id.org/dpv/pd#": {*DPV["pd"]},
    "https://w3id.org/dpv/legal/eu/gdpr#": {*DPV["gdpr"]},
}


@pytest.fixture(autouse=True)
def party(register_in_force: None) -> Party:
    return Party.objects.get(slug="northwind")


def save(*choices: tuple[str, str], **more: Any) -> int:
    made = [ledger.Choice(purpose=purpose, choice=choice, **more) for purpose, choice in choices]
    asked = Asked(locale="en", interface="banner@1")
    request = ledger.Request(
        subject_ref=REF, choices=made, source="banner", actor="service:shop", region="DE", age_band="adult", asked=asked
    )
    return ledger.save_choices(request).subject_revision


def receipt(revision: int) -> dict[str, Any]:
    found: dict[str, Any] = issuing.issue(REF, revision)["receipt"]
    return {name: value for name, value in found.items() if name != "issued_at"}


def _widen_and_rename() -> None:
    purpose = Purpose.objects.get(slug="newsletter")
    purpose.data_categories, purpose.recipients = [*purpose.data_categories, "health"], ["ad-network"]
    purpose.name, purpose.benefit, purpose.kept_for = "Everything", "Ours.", "For ever"
    register.save_purpose(purpose, actor=ACTOR)


def _another_controller() -> None:
    controller = Party.objects.get(slug="northwind")
    controller.name, controller.address = "Southwind", "Harbour 2"
    controller.save()


def _another_authority() -> None:
    authority = Party(slug="dpa-2", role="authority", name="Authority", address="Square 3", country="DE")
    authority.save()


def _without_parties() -> None:
    Party.objects.get(slug="northwind").delete()


def _next_notice() -> None:
    register.publish_notice(purpose=Purpose.objects.get(slug="newsletter"), text="We use it all.", actor=ACTOR)


def _past_the_register() -> None:
    Purpose.objects.filter(slug="newsletter").update(kept_for="For ever", dpv_purpose="Marketing")


@pytest.mark.parametrize(
    "change",
    [_widen_and_rename, _another_controller, _another_authority, _without_parties, _next_notice, _past_the_register],
)
def test_the_same_record_gives_the_same_receipt_for_ever(change: Any) -> None:
    revision = save(("newsletter", "give"))
    before = receipt(revision)

    change()

    assert receipt(revision) == before
    processing = before["consent_record"]["processing"][0]
    assert processing["register"]["is_proven"] is True
    kept = ConsentRecord.objects.get().proof["register"]["sha256"]
    assert kept == processing["register"]["sha256"] == sha256(processing["register"]["content"].encode()).hex()


def test_a_receipt_names_its_controller_even_where_the_register_has_none() -> None:
    _without_parties()
    _another_authority()

    record = receipt(save(("newsletter", "give")))["consent_record"]

    named = record["processing"][0]["pii_controllers"]
    assert set(named) <= {party["party_id"] for party in record["parties"]}
    assert "controller" in {party["party_role"] for party in record["parties"]}


def test_a_later_save_states_the_later_register() -> None:
    first = save(("newsletter", "give"))
    _widen_and_rename()
    second = save(("newsletter", "withdraw"))

    processing = [receipt(revision)["consent_record"]["processing"][0] for revision in (first, second)]
    assert [p["purpose"]["name"] for p in processing] == ["Newsletter", "Everything"]
    assert "health" in processing[1]["pii_information"]
    assert "health" not in processing[0]["pii_information"]
    assert verify_ledger().ok


def test_a_receipt_of_a_yes_lists_what_was_agreed() -> None:
    _widen_and_rename()
    (given,) = receipt(save(("newsletter", "give")))["consent_record"]["processing"]
    (refused,) = receipt(save(("newsletter", "refuse")))["consent_record"]["processing"]

    agreed = NoticeTerms.objects.get(purpose="newsletter", version=1)
    assert given["terms"] == {"sha256": agreed.sha256, "content": agreed.content}
    assert (given["pii_information"], given["recipients"]) == (["email_address"], ["mail-house"])
    assert (refused["terms"], "health" in refused["pii_information"]) == (None, True)


def test_a_receipt_with_other_terms_is_not_genuine() -> None:
    revision = save(("newsletter", "give"))
    content = receipt(revision)
    content["consent_record"]["processing"][0]["terms"]["content"] = "{}"
    forged = signing.sign(issuing.as_text(content), typ=issuing.TYP)

    with pytest.raises(NotGenuine, match="terms"):
        verify_file(json.dumps({"jws": forged}).encode())


def _sensitive(revision: int) -> set[str]:
    kinds = receipt(revision)["consent_record"]["pii_information"]
    return {kind["attribute_id"] for kind in kinds if kind["is_sensitive"] and kind["is_special_category"]}


def test_a_receipt_names_as_sensitive_what_the_register_did_then() -> None:
    before = save(("newsletter", "give"))
    SensitiveCategory.objects.create(slug="email_address", name="E-mail address")
    after = save(("newsletter", "give"))
    assert (_sensitive(before), _sensitive(after)) == (set(), {"email_address"})

    SensitiveCategory.objects.all().delete()

    assert (_sensitive(before), _sensitive(after)) == (set(), {"email_address"}), "a receipt never changes"
    kantara = exports.as_kantara(receipt(after), public_key="")
    assert kantara is not None
    assert (kantara["sensitive"], kantara["spiCat"]) == (True, ["email_address"])


def test_only_what_differs_is_a_new_snapshot() -> None:
    before = RegisterSnapshot.objects.count()
    register.save_purpose(Purpose.objects.get(slug="newsletter"), actor=ACTOR)
    assert RegisterSnapshot.objects.count() == before

    PurposeText.objects.filter(purpose__slug="newsletter").delete()
    PurposeText.objects.create(purpose=Purpose.objects.get(slug="newsletter"), locale="de", name="Brief", benefit="b")
    assert RegisterSnapshot.objects.filter(purpose="newsletter").count() > 1


def test_an_older_record_says_that_the_register_is_not_proven() -> None:
    revision = save(("newsletter", "give"))
    record = ConsentRecord.objects.get()
    record.proof = {}  # as records of before snapshots and of other systems are
    found = issuing.content.describe([record], issued_at="now")["consent_record"]["processing"][0]

    assert found["register"]["is_proven"] is False
    assert found["privacy_notice"]["is_proven"] is False
    assert (found["privacy_notice"]["text"], found["privacy_notice"]["sha256"]) == ("", ""), "no text is guessed"
    _widen_and_rename()
    assert issuing.content.describe([record], issued_at="now")["consent_record"]["processing"][0] == found
    assert receipt(revision)["consent_record"]["processing"][0]["register"]["is_proven"] is True


def test_a_register_that_was_changed_in_the_file_is_noticed() -> None:
    file = issuing.issue(REF, save(("newsletter", "give")))
    assert verify_file(json.dumps(file).encode()).receipt == file["receipt"]

    file["receipt"]["consent_record"]["processing"][0]["register"]["content"] += " "
    with pytest.raises(NotGenuine):
        verify_file(json.dumps(file).encode())


@pytest.mark.parametrize("no", [[("newsletter", "refuse")], [("usage_statistics", "object")]])
def test_a_no_has_no_kantara_receipt(no: list[tuple[str, str]]) -> None:
    # Kantara CR 1.1.0 is a record of authority granted; it has no field for a no.
    file = issuing.issue(REF, save(*no))

    assert exports.as_kantara(file["receipt"], public_key="k") is None


def test_neither_a_withdrawal_nor_the_end_of_an_objection_is_a_consent() -> None:
    save(("recommendations", "give"), ("usage_statistics", "object"))

    for choice in (("recommendations", "withdraw"), ("usage_statistics", "give")):
        assert exports.as_kantara(issuing.issue(REF, save(choice))["receipt"], public_key="k") is None


def test_a_mixed_save_lists_what_was_given_alone() -> None:
    file = issuing.issue(REF, save(("newsletter", "refuse"), ("recommendations", "give")))

    found = exports.as_kantara(file["receipt"], public_key="k")
    assert found is not None
    assert [purpose["purpose"] for purpose in found["services"][0]["purposes"]] == ["Recommendations"]


def test_the_page_offers_no_kantara_receipt_of_a_no() -> None:
    visitor = Visitor("customer-1").come_in()
    visitor.press(visitor.form_of("recommendations"), "refuse")

    assert b"Kantara" not in visitor.browser.get("/privacy/receipts/1").content
    assert visitor.browser.get("/privacy/receipts/1-kantara.json").status_code == 404
    assert visitor.browser.get("/privacy/receipts/1-dpv.json").status_code == 200


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(inner)


def _expanded(term: str) -> str:
    prefix, mark, name = term.partition(":")
    return exports._CONTEXT[prefix] + name if mark and prefix in exports._CONTEXT else term


def _check_term(term: str) -> None:
    for namespace, terms in NAMESPACES.items():
        if term.startswith(namespace):
            assert term.removeprefix(namespace) in terms, term


SAVES = [
    [("newsletter", "give"), ("recommendations", "refuse")],
    [("usage_statistics", "object")],
]


@pytest.mark.parametrize("choices", SAVES)
def test_every_term_of_the_graph_is_one_of_dpv_2_3(choices: list[tuple[str, str]]) -> None:
    graph = exports.as_json_ld(issuing.issue(REF, save(*choices))["receipt"])

    for node in _nodes({name: value for name, value in graph.items() if name != "@context"}):
        types = node.get("@type", [])
        for term in [*node, *([types] if isinstance(types, str) else types), node.get("@id", "")]:
            _check_term(_expanded(term))
        said = node.keys() - {"@id", "@type"}
        # Two receipts together must not say two things about a term everybody shares.
        assert not (said and node.get("@id", "").startswith("https://w3id.org/dpv")), node


@pytest.mark.parametrize("choices", SAVES)
def test_a_property_that_has_a_range_names_a_node(choices: list[tuple[str, str]]) -> None:
    graph = exports.as_json_ld(issuing.issue(REF, save(*choices))["receipt"])

    for node in _nodes(graph):
        for name, value in node.items():
            if DPV["properties"].get(name.removeprefix("dpv:")) and name.startswith("dpv:"):
                assert all(isinstance(each, dict) for each in (value if isinstance(value, list) else [value])), name


def test_the_graph_has_what_the_guide_demands() -> None:
    graph = exports.as_json_ld(issuing.issue(REF, save(("newsletter", "give")))["receipt"])
    record = graph["dpv:hasRecordOfActivity"]
    process = record["dpv:hasProcess"][0]

    for node in (graph, record):
        assert {"@id": "https://w3id.org/dpv/schema/dpv-27560"} in node["dct:conformsTo"]
        assert node["dpv:hasIdentifier"]
        assert node["dct:created"]["@type"] == "xsd:dateTime"
    assert process["dpv:hasConsentStatus"]["dct:date"] == process["dpv:isIndicatedAtTime"]
    assert process["dpv:hasDataController"] == [{"@id": "urn:assent:party:northwind", "@type": "dpv:DataController"}]
    assert {"@id": "https://w3id.org/dpv/pd#EmailAddress"} in process["dpv:hasPersonalData"]


def test_an_objection_is_no_state_of_consent() -> None:
    graph = exports.as_json_ld(issuing.issue(REF, save(("usage_statistics", "object")))["receipt"])
    process = graph["dpv:hasRecordOfActivity"]["dpv:hasProcess"][0]

    assert "dpv:hasConsentStatus" not in process
    assert [right["@type"][1][-3:] for right in process["dpv:hasRight"] if "dct:date" in right] == ["A21"]


def test_a_changed_level_stands_in_the_receipt_on_the_text_of_the_consent(api: Any) -> None:
    first = save(("recommendations", "give"))
    second = save(("recommendations", "adjust"), max_level="segment")
    third = save(("recommendations", "adjust"))

    processing = [receipt(revision)["consent_record"]["processing"][0] for revision in (first, second, third)]
    assert [found["max_level"] for found in processing] == [None, "segment", None]
    assert [found["privacy_notice"]["is_proven"] for found in processing] == [True, True, True]
    assert processing[0]["privacy_notice"] == processing[2]["privacy_notice"]
    history = api.post("/api/v1/consents/history", {"subject": {"id": "customer-1"}}).json()["records"]
    assert [record["max_level"] for record in history] == [None, "segment", None]
    assert ConsentRecord.objects.get(subject_revision=2).proof["asked"] == {"interface": "banner@1"}
