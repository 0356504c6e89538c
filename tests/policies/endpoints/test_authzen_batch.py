"""AuthZEN 1.0, requirements 13-22: many evaluations in one request."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import policy_data
from consent.models import Purpose
from policies.bundles import publishing
from policies.decision_log.spool import SpoolFull
from policies.decisions import information
from policies.endpoints import credentials
from policies.endpoints.authzen import batch
from tests.helpers.certification_cases import ALICE, ARCHIVED, BOB, DELETE, READ, RECORD, RULES, WRITE, asked, having
from tests.helpers.wsgi_calls import EVALUATIONS, WsgiResponse, assert_problem, call, question
from tests.policies.engines.test_garbage import ANYTHING, spoilt

Spooled = Callable[[], list[dict[str, Any]]]
SEMANTICS = ("execute_all", "deny_on_first_deny", "permit_on_first_permit")
COMPLETE = asked(ALICE, READ, RECORD)


def _send(body: Any, token: str | None) -> WsgiResponse:
    return call(body, token, path=EVALUATIONS)


def _decisions(answer: WsgiResponse) -> list[bool]:
    assert answer.status == 200, answer.body
    assert set(answer.json()) == {"evaluations"}, "21 the top-level decision is left out"
    return [evaluation["decision"] for evaluation in answer.json()["evaluations"]]


@pytest.mark.parametrize("more", [{}, {"evaluations": []}, {"options": {"evaluations_semantic": "execute_all"}}])
def test_13_without_evaluations_it_is_the_single_endpoint(records_token: str, more: dict[str, Any]) -> None:
    answer = _send(COMPLETE | more, records_token).json()

    assert answer["decision"] is True
    assert "evaluations" not in answer
    assert_problem(_send({**more, "subject": ALICE}, records_token), 400, "invalid_request")


def test_14_the_answers_have_the_order_of_the_questions(records_token: str) -> None:
    evaluations = [body for body, _ in RULES.values()]

    assert _decisions(_send({"evaluations": evaluations}, records_token)) == [wanted for _, wanted in RULES.values()]


INHERITING = {
    "15 the subject": ({"subject": BOB, "resource": RECORD}, [{"action": READ}, {"action": WRITE}], [True, False]),
    "15 all of it": (asked(ALICE, WRITE, RECORD), [{}, {"resource": ARCHIVED}], [True, False]),
    "15 nothing": ({}, [COMPLETE, asked(BOB, WRITE, RECORD)], [True, False]),
    "15 the context": ({**COMPLETE, "context": {"a": 1}}, [{}, {"context": {"b": 2}}, {"context": None}], [True] * 3),
    "16 the type is not merged": (COMPLETE, [{"resource": {"id": "record-1"}}], [False]),
    "16 the id is not merged": (COMPLETE, [{"subject": {"type": "user"}}], [False]),
    "16 properties are not merged": (
        asked(having(ALICE, role="admin"), WRITE, having(RECORD, status="archived")),
        [{}, {"subject": ALICE}, {"resource": RECORD}],
        [True, False, True],
    ),
    "16 properties of the action are not merged": (
        asked(ALICE, having(DELETE, soft=True), RECORD), [{}, {"action": DELETE}], [True, False],
    ),
    "17 a resource is missing": ({"subject": ALICE, "action": READ}, [{"resource": RECORD}, {}], [True, False]),
    "17 a subject is missing": ({"action": READ, "resource": RECORD}, [{}, {"subject": ALICE}], [False, True]),
    "17 an action is missing": (
        {"subject": ALICE, "resource": RECORD}, [{"action": {}}, {"action": READ}], [False, True],
    ),
    "17 a default nobody can use": ({"subject": {}, "action": READ, "resource": RECORD}, [{}, COMPLETE], [False, True]),
    "17 a wrong type": (COMPLETE, [{"subject": "alice"}, {"action": {"name": 5}}, {}], [False] * 2 + [True]),
    "17 a null": (COMPLETE, [{"resource": None}, {}], [False, True]),
    "40 unknown members": ({**COMPLETE, "x": 1}, [{"y": {}, "decision": True}], [True]),
    "22 items about consent and records": (COMPLETE, [{}, question(), question("stranger")], [True, True, False]),
}  # fmt: skip


@pytest.mark.parametrize(("defaults", "evaluations", "decisions"), INHERITING.values(), ids=INHERITING)
def test_an_item_stands_for_itself(
    records_token: str, defaults: dict[str, Any], evaluations: list[Any], decisions: list[bool]
) -> None:
    body = {**defaults, "evaluations": evaluations, "options": {"evaluations_semantic": "execute_all"}}

    assert _decisions(_send(body, records_token)) == decisions


def test_17_a_fault_of_an_item_is_told_in_its_place_and_logged_as_no_decision(
    records_token: str, spooled: Spooled
) -> None:
    answer = _send({"subject": ALICE, "action": READ, "evaluations": [{"resource": RECORD}, {}]}, records_token).json()

    error = answer["evaluations"][1]["context"]["error"]
    assert error["status"] == 400
    assert "resource" in error["message"]
    assert [entry["id"] for entry in spooled()] == [answer["evaluations"][0]["context"]["decision_id"]]


WHOLE = {
    **{f"11 evaluations are {value!r}": {**COMPLETE, "evaluations": value} for value in ("x", {}, 5, True, None)},
    **{f"11 an item is {value!r}": {**COMPLETE, "evaluations": [{}, value]} for value in ("x", [], 5, None)},
    **{
        f"11 {part} is {value!r}": {**COMPLETE, part: value, "evaluations": [COMPLETE]}
        for part in ("subject", "action", "resource", "context")
        for value in ("x", [], 5)
    },
    "11 a default of a wrong type": {**COMPLETE, "subject": {"type": "user", "id": 5}, "evaluations": [COMPLETE]},
    **{f"18 options are {value!r}": {**COMPLETE, "options": value, "evaluations": [{}]} for value in ("x", [], 5)},
    **{
        f"20 the semantic is {value!r}": {**COMPLETE, "options": {"evaluations_semantic": value}, "evaluations": [{}]}
        for value in ("", "EXECUTE_ALL", "first", 5, None, [])
    },
    "44 too many": {**COMPLETE, "evaluations": [{}] * (batch.MAX_EVALUATIONS + 1)},
}


@pytest.mark.parametrize("body", WHOLE.values(), ids=WHOLE)
def test_a_fault_of_the_whole_is_400(records_token: str, body: dict[str, Any]) -> None:
    assert_problem(_send(body, records_token), 400, "invalid_request")
    assert_problem(_send(body, "unheard-of"), 401, "unauthenticated")


def test_44_as_many_as_allowed_are_answered(records_token: str, spooled: Spooled) -> None:
    answer = _send({**COMPLETE, "evaluations": [{}] * batch.MAX_EVALUATIONS}, records_token)

    assert _decisions(answer) == [True] * batch.MAX_EVALUATIONS
    assert len(spooled()) == batch.MAX_EVALUATIONS


SHORT = [
    ("execute_all", [READ, WRITE, READ], [True, False, True]),
    ("deny_on_first_deny", [READ, WRITE, READ], [True, False]),
    ("deny_on_first_deny", [READ, READ], [True, True]),
    ("deny_on_first_deny", [READ, {}, READ], [True, False]),
    ("deny_on_first_deny", [WRITE, WRITE], [False]),
    ("permit_on_first_permit", [WRITE, READ, READ], [False, True]),
    ("permit_on_first_permit", [WRITE, {}, READ, READ], [False, False, True]),
    ("permit_on_first_permit", [WRITE, WRITE], [False, False]),
    ("permit_on_first_permit", [READ, WRITE], [True]),
]


@pytest.mark.parametrize(("semantic", "actions", "decisions"), SHORT)
def test_18_19_the_answer_ends_where_the_semantic_says(
    records_token: str, spooled: Spooled, semantic: str, actions: list[Any], decisions: list[bool]
) -> None:
    evaluations = [{"action": action} for action in actions]
    options = {"evaluations_semantic": semantic, "unheard_of": 1}

    answer = _send({"subject": BOB, "resource": RECORD, "options": options, "evaluations": evaluations}, records_token)

    assert _decisions(answer) == decisions
    assert len(spooled()) == sum("decision_id" in one["context"] for one in answer.json()["evaluations"])


def test_20_unknown_options_are_ignored(records_token: str) -> None:
    for options in ({"unheard_of": {"a": 1}}, {}, None):
        assert _decisions(_send({**COMPLETE, "options": options, "evaluations": [{}]}, records_token)) == [True]


# --- what a batch costs, and what holds it together


def test_a_batch_takes_one_statement_and_one_write(
    records_token: str, own_spool: Any, sql: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [question(f"customer-{number}") for number in range(1, 50)]
    body = {"evaluations": [*people, *(body for body, _ in RULES.values())]}
    _send(body, records_token)
    writes = []
    append = batch.BatchEvaluation.log
    monkeypatch.setattr(batch.BatchEvaluation, "log", lambda sheet: (writes.append(1), append(sheet)))
    before = information.STATEMENT.executions, information.STATEMENT_FOR_MANY.executions
    sql.clear()

    answer = _send(body, records_token)

    assert _decisions(answer)[:2] == [True, False]
    assert (information.STATEMENT.executions, information.STATEMENT_FOR_MANY.executions - 1) == before
    assert sql == []
    assert len(writes) == 1


def test_a_batch_about_people_answers_as_one_by_one(shop_token: str) -> None:
    people = [question(person) for person in ("customer-1", "stranger", "customer-1")]
    people.append(question(subject={**question()["subject"], "properties": {"age_band": "child"}}))

    together = _send({"evaluations": people}, shop_token).json()["evaluations"]
    alone = [call(body, shop_token).json() for body in people]

    for answer in (*together, *alone):
        del answer["context"]["decision_id"]
    assert together == alone
    assert together[0]["context"]["subject_revision"] == 1
    assert [answer["decision"] for answer in together] == [True, False, True, False]


def test_a_batch_is_of_one_revision(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decide = batch.BatchEvaluation.decide

    def and_change(sheet: Any, *args: Any) -> Any:
        purpose = Purpose.objects.get(slug="recommendations")
        purpose.actions = ["collect"]
        purpose.save(update_fields=["actions"])
        policy_data.changed(reason="test", actor="test")
        return decide(sheet, *args)

    monkeypatch.setattr(batch.BatchEvaluation, "decide", and_change)

    evaluations = _send({"evaluations": [question()] * 3}, shop_token).json()["evaluations"]

    assert [one["decision"] for one in evaluations] == [True] * 3
    assert len({one["context"]["bundle_revision"] for one in evaluations}) == 1
    monkeypatch.undo()
    assert _decisions(_send({"evaluations": [question()]}, shop_token)) == [False]


def test_a_batch_that_cannot_be_logged_is_not_answered(records_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Any, _line: bytes) -> None:
        raise SpoolFull

    monkeypatch.setattr("policies.decision_log.spool.Spool.append", full)

    assert_problem(_send({**COMPLETE, "evaluations": [{}]}, records_token), 503, "log_unavailable")
    assert_problem(call(COMPLETE, records_token), 503, "log_unavailable")


def test_without_information_nothing_is_answered(records_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise information.InformationUnavailable

    for read in ("read", "read_many"):
        monkeypatch.setattr(information, read, fail)

    for evaluations in ([{}], [{}, {"subject": {"type": "user", "id": "another"}}]):
        body = {**COMPLETE, "evaluations": evaluations}
        assert_problem(_send(body, records_token), 503, "information_unavailable")


def test_45_a_credential_is_needed(records_token: str) -> None:
    body = {**COMPLETE, "evaluations": [{}]}

    assert_problem(_send(body, None), 401, "unauthenticated")
    assert_problem(_send(body, "unheard-of"), 401, "unauthenticated")


# --- garbage

VALID = {"options": {"evaluations_semantic": "execute_all"}, "evaluations": [asked(BOB, WRITE, RECORD)] * 3}


@settings(max_examples=150)
@given(data=st.data())
def test_garbage_about_what_is_denied_is_never_permitted(standing_records: str, data: st.DataObject) -> None:
    # Who is said to be an admin, or a record to be archived, is believed; these words are not among the garbage.
    junk = ANYTHING.map(lambda subject: {"evaluations": [{**COMPLETE, "subject": subject}]})
    body = data.draw(spoilt(VALID) | junk)

    answer = _send(json.dumps(body).encode(), standing_records)

    assert answer.status in (200, 400)
    if answer.status == 200:
        document = answer.json()
        assert document.get("decision", False) is False
        assert not any(evaluation["decision"] for evaluation in document.get("evaluations", []))


def test_the_certified_bundle_was_in_force(records_token: str) -> None:
    assert publishing.has_certification()


@pytest.mark.parametrize(
    "body", [{"evaluations": [question(), question("nobody-known"), {}, COMPLETE]}, question(), COMPLETE], ids=str
)
def test_a_repeated_request_is_the_same_bytes_for_who_asks_for_it(
    records_token: str, spooled: Spooled, body: dict[str, Any]
) -> None:
    exact, _ = credentials.create_credential(
        name="certifier", scopes=["decisions"], actor="test", repeatable_answers=True
    )

    first, again, other = _send(body, exact), _send(body, exact), _send(body, records_token)

    assert first.status == 200
    assert first.body == again.body
    assert b"decision_id" not in first.body
    assert len({line["id"] for line in spooled()}) == len(spooled()) > 0, "the log has an id for each"
    # For everybody else nothing changes: the same answers, with ids.
    assert _without_ids(other.json()) == first.json()
    assert b"decision_id" in other.body


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_ids(member) for name, member in value.items() if name != "decision_id"}
    return [_without_ids(member) for member in value] if isinstance(value, list) else value
