"""The native decisions endpoint through the web server's entry: what it tells, costs and never suggests."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import pseudonyms
from policies.bundles import loading, reasons
from policies.bundles.loading import LoadedBundle
from policies.decision_log.spool import SpoolFull
from policies.decisions import information
from policies.decisions.evaluate import evaluate_facts
from policies.decisions.rendering import failure
from policies.endpoints import native
from policies.endpoints.authzen import batch
from policies.explaining import counterfactuals
from tests.helpers.certification_cases import ALICE, READ, RECORD
from tests.helpers.fact_sheets import BASE, drawn_facts
from tests.helpers.policy_engines import REGISTER, bundle_of
from tests.helpers.wsgi_calls import assert_problem, call, question

Spooled = Callable[[], list[dict[str, Any]]]


def send(body: Any, token: str | None, **environ: str) -> Any:
    return call(body, token, path=native.PATH, **environ)


def told(body: Any, token: str) -> dict[str, Any]:
    answer = send(body, token)
    assert answer.status == 200, answer.body
    document: dict[str, Any] = answer.json()
    return document


def codes(answer: dict[str, Any]) -> list[str]:
    return [change["code"] for change in answer["would_change"]]


def choose(token: str, person: str, choice: str, purpose: str = "recommendations", **more: Any) -> None:
    subject = {"id": person, "region": "DE", "age_band": "adult"}
    body = {"subject": subject, "choices": [{"purpose": purpose, "choice": choice, **more}]}
    saved = call(body, token, path="/api/v1/consents")
    assert saved.status == 201, saved.body


# --- one answer


def test_a_permit_is_told_in_full(shop_token: str, spooled: Spooled) -> None:
    answer = told(question(), shop_token)

    assert (answer["decision"], answer["outcome"], answer["level"]) == (True, "permit", "individual")
    assert answer["obligations"][0] == {"id": "o1", "type": "max_level", "properties": {"level": "individual"}}
    assert (answer["legal_basis"], answer["subject_revision"], answer["requestable"]) == ("consent", 1, False)
    assert answer["bundle_revision"].startswith("sha256:")
    assert answer["valid_until"].endswith("Z")
    assert answer["would_change"] == []
    assert [entry["id"] for entry in spooled()] == [answer["decision_id"]]


def test_a_denial_has_sentences_for_officers_and_people(shop_token: str) -> None:
    answer = told(question("stranger", subject=_subject("stranger", region="DE", age_band="adult")), shop_token)

    assert (answer["decision"], answer["outcome"], answer["level"]) == (False, "unknown", "none")
    by_code = {reason["code"]: reason for reason in answer["reasons"]}
    assert by_code["consent_missing"]["officer"] == reasons.for_officer("consent_missing")
    assert by_code["consent_missing"]["person"] == reasons.for_person("consent_missing")
    assert [duty["type"] for duty in answer["obligations"]] == ["non_profiled"]


def test_it_agrees_with_the_authzen_endpoint(shop_token: str) -> None:
    for body in (question(), question("stranger"), question(context={"processing_region": "us-east"})):
        native_answer, plain = told(body, shop_token), call(body, shop_token).json()

        context = plain["context"]
        assert native_answer["decision"] == plain["decision"]
        for member in ("level", "obligations", "subject_revision", "bundle_revision"):
            assert native_answer[member] == context[member]
        assert [reason["code"] for reason in native_answer["reasons"]] == [r["code"] for r in context["reasons"]]


def test_a_read_older_than_demanded_is_denied(shop_token: str) -> None:
    now = told(question(context={"processing_region": "eu-central", "min_revision": 1}), shop_token)
    older = told(question(context={"processing_region": "eu-central", "min_revision": 2}), shop_token)

    assert now["decision"] is True
    assert (older["decision"], older["reasons"][0]["code"]) == (False, "stale_read")
    assert older["would_change"] == []


def test_records_are_decided_too(records_token: str) -> None:
    answer = told({"subject": ALICE, "action": READ, "resource": RECORD, "explain": True}, records_token)

    assert (answer["decision"], answer["level"], answer["would_change"], answer["rules"]) == (True, None, [], None)


def _subject(person: str, **properties: str) -> dict[str, Any]:
    return {"type": "data_subject", "id": person, "properties": properties}


# --- many answers


def test_many_are_answered_in_order_and_a_fault_in_its_place(shop_token: str, spooled: Spooled) -> None:
    answers = told({"decisions": [question(), {}, question("stranger")]}, shop_token)["decisions"]

    assert [answer["decision"] for answer in answers] == [True, False, False]
    assert answers[1]["error"]["status"] == 400
    assert "decision_id" not in answers[1]
    assert [entry["id"] for entry in spooled()] == [answers[0]["decision_id"], answers[2]["decision_id"]]


def test_a_thousand_take_one_statement_and_one_write(
    shop_token: str, sql: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [{"subject": {"type": "data_subject", "id": f"customer-{number % 50}"}} for number in range(1_000)]
    shared = question()
    del shared["subject"]
    body = {**shared, "decisions": people}
    told(body, shop_token)
    writes = []
    append = batch.BatchEvaluation.log
    monkeypatch.setattr(batch.BatchEvaluation, "log", lambda sheet: (writes.append(1), append(sheet)))
    before = information.STATEMENT.executions, information.STATEMENT_FOR_MANY.executions
    sql.clear()

    answers = told(body, shop_token)["decisions"]

    assert len(answers) == batch.MAX_EVALUATIONS
    assert [answer["decision"] for answer in answers[:3]] == [False, True, False]
    assert (information.STATEMENT.executions, information.STATEMENT_FOR_MANY.executions - 1) == before
    assert sql == []
    assert len(writes) == 1
    assert len({answer["bundle_revision"] for answer in answers}) == 1


REFUSED = {
    "no questions": {"decisions": []},
    "too many": {"decisions": [{}] * (batch.MAX_EVALUATIONS + 1)},
    "too many to explain": {"decisions": [{}] * (native.MAX_EXPLAINED + 1), "explain": True},
    "a list of numbers": {"decisions": [1]},
    "explain is no yes or no": {**question(), "explain": "yes"},
    "no question": {"explain": True},
    "decisions is null": {**question(), "decisions": None},
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_a_fault_of_the_whole_is_400(shop_token: str, body: dict[str, Any]) -> None:
    assert_problem(send(body, shop_token), 400, "invalid_request")
    assert_problem(send(body, "unheard-of"), 401, "unauthenticated")
    assert_problem(send(body, None), 401, "unauthenticated")


def test_other_methods_and_large_bodies_are_refused(shop_token: str) -> None:
    assert_problem(call(question(), shop_token, path=native.PATH, method="GET"), 405, "method_not_allowed")
    assert_problem(send(b" " * (256 * 1024 + 1), shop_token), 413, "body_too_large")


def test_what_cannot_be_logged_is_not_answered(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Any, _line: bytes) -> None:
        raise SpoolFull

    monkeypatch.setattr("policies.decision_log.spool.Spool.append", full)

    assert_problem(send(question(), shop_token), 503, "log_unavailable")


def test_without_information_nothing_is_answered(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise information.InformationUnavailable

    for read in ("read", "read_many"):
        monkeypatch.setattr(information, read, fail)

    several = {"decisions": [question(), question("stranger")]}
    for body in (question(), several):
        assert_problem(send(body, shop_token), 503, "information_unavailable")


# --- what would change an answer


def test_who_was_never_asked_may_be_asked_and_then_it_is_so(shop_token: str) -> None:
    body = question("newcomer", subject=_subject("newcomer", region="DE", age_band="adult"))
    before = told(body, shop_token)
    change = {"code": "grant_consent", "purpose": "recommendations", "to_level": "individual"}
    assert change in before["would_change"]

    choose(shop_token, "newcomer", "give")

    after = told(body, shop_token)
    assert (after["decision"], after["level"]) == (True, change["to_level"])


def test_the_broader_purpose_is_suggested_and_then_it_is_so(shop_token: str) -> None:
    body = question("newcomer", subject=_subject("newcomer", region="DE", age_band="adult"))
    before = told(body, shop_token)
    assert {"code": "grant_consent", "purpose": "personalization", "to_level": "individual"} in before["would_change"]

    choose(shop_token, "newcomer", "give", "personalization")

    assert told(body, shop_token)["decision"] is True


@pytest.mark.parametrize(
    ("choice", "purpose"),
    [("refuse", "recommendations"), ("refuse", "personalization")],
)
def test_nothing_is_suggested_after_a_refusal(shop_token: str, choice: str, purpose: str) -> None:
    choose(shop_token, "refuser", choice, purpose)
    elsewhere = {"processing_region": "us-east"}

    for context in ({"processing_region": "eu-central"}, elsewhere):
        answer = told(question("refuser", context=context), shop_token)
        assert (answer["decision"], answer["would_change"], answer["requestable"]) == (False, [], False)


def test_a_withdrawal_is_not_asked_away(shop_token: str) -> None:
    choose(shop_token, "customer-1", "withdraw")

    assert told(question(), shop_token)["would_change"] == []


def test_another_region_is_suggested_and_then_it_is_so(shop_token: str) -> None:
    before = told(question(context={"processing_region": "nowhere"}), shop_token)
    assert before["decision"] is False
    regions = [change["region"] for change in before["would_change"] if change["code"] == "process_in_region"]
    assert regions

    for region in regions:
        assert told(question(context={"processing_region": region}), shop_token)["decision"] is True


def test_a_yes_to_the_channel_alone_is_suggested_and_then_it_is_so(
    shop_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policies.decisions.facts._is_quiet", lambda *_: False)
    body = question(
        subject=_subject("reader", region="DE", age_band="adult"),
        action={"name": "contact", "properties": {"purpose": "newsletter"}},
        resource={"type": "mail", "id": "june", "properties": {"data_categories": ["email_address"]}},
        context={"processing_region": "eu-central", "channel": "email"},
    )
    before = told(body, shop_token)
    part = {"code": "grant_consent", "purpose": "newsletter", "part": {"channel": "email"}}
    assert part in before["would_change"], before

    choose(shop_token, "reader", "give", "newsletter", channel="email")

    assert told(body, shop_token)["decision"] is True
    assert (
        told({**body, "context": {"processing_region": "eu-central", "channel": "sms"}}, shop_token)["decision"]
        is False
    )


def test_an_engine_that_fails_is_not_asked_again_and_again(
    sample: LoadedBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = json.dumps({**BASE, "consent": {**BASE["consent"], "state": "never_asked"}, "ancestors": {}}).encode()
    rendered = evaluate_facts(facts, sample)
    tried = []

    def fail(document: bytes, bundle: LoadedBundle, *, candidate: str | None) -> Any:
        tried.append(document)
        return failure("engine_timeout", bundle.revision, document)

    with monkeypatch.context() as patch:
        patch.setattr(counterfactuals, "evaluate_facts", fail)
        assert counterfactuals.would_change(rendered) is None
    assert len(tried) == 1
    assert counterfactuals.would_change(rendered)


def test_on_demand_nothing_is_tried(shop_token: str) -> None:
    assert "would_change" not in told({**question("stranger"), "would_change": False}, shop_token)


def test_when_the_evaluations_run_out_that_is_told(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "MAX_FLIPS", 2)
    changed = question("customer-1", context={"processing_region": "nowhere", "channel": "store"})

    assert told(changed, shop_token)["would_change"] is None


def test_the_same_is_tried_once(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"decisions": [question("stranger")] * 3}
    told(body, shop_token)
    monkeypatch.setattr(counterfactuals, "evaluate_facts", None)

    answers = told(body, shop_token)["decisions"]

    assert all(answer["would_change"] is not None for answer in answers)


CATEGORIES = frozenset().union(*(purpose["data_categories"] for purpose in REGISTER["purposes"].values()))
SAMPLE = replace(bundle_of(REGISTER), categories=CATEGORIES, sensitive=frozenset(REGISTER["sensitive_categories"]))
NO = {"refused", "withdrawn"}


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> LoadedBundle:
    monkeypatch.setattr(loading, "loaded", lambda _revision: SAMPLE)
    return SAMPLE


def _drawn() -> Iterator[tuple[dict[str, Any], Any]]:
    for facts in random.Random(7).sample(drawn_facts(), 1_500):
        rendered = evaluate_facts(json.dumps(facts).encode(), SAMPLE)
        yield facts, rendered


def test_a_suggested_change_really_changes_the_answer(sample: LoadedBundle) -> None:
    suggested = 0
    for facts, rendered in _drawn():
        for change in counterfactuals.would_change(rendered) or []:
            suggested += 1
            assert _after(facts, change, rendered), (facts, change)
    assert suggested > 50


def _after(facts: dict[str, Any], change: dict[str, Any], before: Any) -> bool:  # noqa: C901
    """Apply the change as its words say it and ask the policy."""
    facts = copy.deepcopy(facts)
    match change:
        case {"code": "grant_consent", "purpose": purpose} if purpose == facts["purpose"]:
            consent = facts["consent"]
            explicit = change.get("explicit", False) or (consent["state"] == "given" and consent["explicit"])
            refused = [c for c in consent["refused_categories"] if c not in consent["unagreed_categories"]]
            consent |= {"state": "given", "notice_current": True, "explicit": explicit}
            consent |= {"refused_categories": refused, "unagreed_categories": []}
            consent.pop("unagreed", None)
            facts["subject"]["known"] = True
        case {"code": "grant_consent", "purpose": purpose}:
            facts["ancestors"][purpose] = "given"
            facts["subject"]["known"] = True
        case {"code": "approve_model"}:
            facts["model"]["status"] = "live"
        case {"code": "approve_model_for_purpose", "purpose": purpose}:
            facts["model"]["purposes"].append(purpose)
        case {"code": "pass_gates"}:
            facts["model"]["gates"] = "passed"
        case {"code": "process_in_region", "region": region}:
            facts["processing"]["region"] = region
        case {"code": "renew_instrument", "instrument": slug}:
            facts["processing"]["expired_instruments"].remove(slug)
        case {"code": "leave_out_categories", "categories": left_out}:
            for member in ("data_categories", "sensitive"):
                facts["processing"][member] = [
                    c for c in facts["processing"][member] if c not in left_out and c in _registered()
                ]
        case {"code": "wait_for_quiet_hours_to_end"}:
            facts["time"]["quiet_hours"] = False
        case _:
            pytest.fail(f"unheard-of change: {change}")
    after = evaluate_facts(json.dumps(facts).encode(), SAMPLE)
    assert after.verdict.level == change.get("to_level")
    return after.verdict != before.verdict


def _registered() -> set[str]:
    return {*SAMPLE.categories, *SAMPLE.sensitive}


def test_no_change_is_suggested_where_somebody_said_no(sample: LoadedBundle) -> None:
    refusals = 0
    for facts, rendered in _drawn():
        try:
            own = facts["consent"]["state"]
            said_no = (
                own in NO or facts["objection"] is True or (own != "given" and NO & {*facts["ancestors"].values()})
            )
        except (KeyError, TypeError, AttributeError):
            continue
        if said_no:
            refusals += 1
            assert not counterfactuals.would_change(rendered), facts
    assert refusals > 20


def test_facts_that_make_no_sense_have_no_changes(sample: LoadedBundle) -> None:
    for document in ({}, {"consent": 3}, {"consent": {"state": ["x"]}}):
        assert counterfactuals.would_change(evaluate_facts(json.dumps(document).encode(), SAMPLE)) == []


# --- which rules led to it


def test_a_permit_names_the_rules_that_fired(shop_token: str) -> None:
    rules = {
        rule["rule"].rpartition(".")[2]: rule for rule in told({**question(), "explain": True}, shop_token)["rules"]
    }

    assert rules["permitted"]["title"] == "Permit"
    assert rules["permitted"]["fired"] is True
    assert rules["choice"]["value"] == "given"
    assert rules["consent_suffices"]["fired"] is True
    assert "GDPR Articles 6(1)(a)" in rules["consent_suffices"]["description"]
    assert "answer" not in rules


def test_a_denial_names_what_did_not_hold(shop_token: str) -> None:
    choose(shop_token, "refuser", "refuse")

    answers = told({"decisions": [question("refuser"), question()], "explain": True}, shop_token)["decisions"]

    refused, permitted = ({rule["rule"].rpartition(".")[2]: rule for rule in each["rules"]} for each in answers)
    assert (refused["permitted"]["fired"], permitted["permitted"]["fired"]) == (False, True)
    assert refused["choice"]["value"] == "refused"
    assert refused["consent_denial_reasons"]["value"] == [{"code": "consent_refused"}]


def test_the_clauses_of_a_set_are_told_one_by_one(shop_token: str) -> None:
    body = {**question(context={"processing_region": "eu-central", "signals": {"gpc": True}}), "explain": True}

    rules = told(body, shop_token)["rules"]

    ceilings = {rule["title"]: rule["fired"] for rule in rules if rule["rule"] == "governance.decision.ceilings"}
    assert ceilings["Ceilings of opt-out signals"] is True
    assert ceilings["Ceiling of the person"] is False


def test_an_explanation_holds_no_identity(shop_token: str) -> None:
    answer = send({**question(), "explain": True}, shop_token)

    assert b"customer-1" not in answer.body


def test_unasked_nothing_is_explained(shop_token: str) -> None:
    assert "rules" not in told(question(), shop_token)


# --- garbage about people who said no is never permitted


# An id with hidden characters inside is refused (docs/decisions/0030); some of them stand among letters and marks.
VISIBLE = st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"])


def _names_one_person(text: str) -> bool:
    try:
        pseudonyms.checked(f"nobody-{text}")
    except ValueError:
        return False
    return True


@settings(max_examples=60)
@given(person=st.text(VISIBLE, max_size=20).filter(_names_one_person), explain=st.booleans())
def test_nobody_unknown_is_permitted(standing_shop: str, person: str, explain: bool) -> None:
    answer = send({**question(f"nobody-{person}"), "explain": explain}, standing_shop)

    assert answer.status == 200
    assert answer.json()["decision"] is False
