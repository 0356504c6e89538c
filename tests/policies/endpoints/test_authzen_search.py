"""AuthZEN 1.0, requirements 23-31: searches say what evaluations would permit, in pages."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core import signing
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.bundles import publishing
from policies.decisions import information
from policies.endpoints import credentials
from policies.endpoints.authzen import pages
from tests.helpers.certification_cases import (
    ACTION_SEARCH,
    ALICE,
    ARCHIVED,
    BOB,
    DELETE,
    READ,
    RECORD,
    RESOURCE_SEARCH,
    SEARCHES,
    SUBJECT_SEARCH,
    WRITE,
    asked,
    having,
)
from tests.helpers.spoilt_bodies import spoilt
from tests.helpers.wsgi_calls import assert_problem, call, question

Spooled = Callable[[], list[dict[str, Any]]]
USERS, RECORDS = {"type": "user"}, {"type": "record"}


def _search(path: str, body: Any, token: str) -> dict[str, Any]:
    answer = call(body, token, path=path)
    assert (answer.status, answer.content_type) == (200, "application/json"), answer.body
    document: dict[str, Any] = answer.json()
    return document


def _names(document: dict[str, Any]) -> list[str]:
    return [found.get("id") or found["name"] for found in document["results"]]


FOUND: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "S1": (SUBJECT_SEARCH, SEARCHES[SUBJECT_SEARCH], ["alice", "bob"]),
    "S2": (RESOURCE_SEARCH, SEARCHES[RESOURCE_SEARCH], ["record-1", "record-2"]),
    "S3": (ACTION_SEARCH, SEARCHES[ACTION_SEARCH], ["read", "write"]),
    "S4": (SUBJECT_SEARCH, asked(USERS, WRITE, having(ARCHIVED, status="archived")), ["bob"]),
    "S5": (RESOURCE_SEARCH, asked(having(BOB, role="admin"), WRITE, RECORDS), ["record-2"]),
    "S6": (
        ACTION_SEARCH,
        {"subject": having(BOB, role="admin"), "resource": having(ARCHIVED, status="archived")},
        ["read", "write"],
    ),
    "25 the id of the subject is ignored": (SUBJECT_SEARCH, asked(ALICE, READ, RECORD), ["alice", "bob"]),
    "25 whatever it is": (SUBJECT_SEARCH, asked({**USERS, "id": 5}, READ, RECORD), ["alice", "bob"]),
    "25 the id of the resource is ignored": (RESOURCE_SEARCH, asked(ALICE, WRITE, ARCHIVED), ["record-1"]),
    "25 a stray action is ignored": (ACTION_SEARCH, asked(ALICE, having(DELETE, soft=True), RECORD), ["read", "write"]),
    "25 whatever that is": (ACTION_SEARCH, {"subject": ALICE, "resource": RECORD, "action": 5}, ["read", "write"]),
    "27 context": (SUBJECT_SEARCH, asked(USERS, READ, RECORD, context={"time": "x"}), ["alice", "bob"]),
    "40 unknown members": (RESOURCE_SEARCH, asked(ALICE, READ, RECORDS, foo=[1]), ["record-1", "record-2"]),
    "properties of the action": (SUBJECT_SEARCH, asked(USERS, having(DELETE, soft=True), RECORD), ["alice", "bob"]),
    "8 unknown properties": (SUBJECT_SEARCH, asked(having(USERS, team="x"), READ, RECORD), ["alice", "bob"]),
    "26 unknown subject": (ACTION_SEARCH, {"subject": {**ALICE, "id": "x"}, "resource": RECORD}, []),
    "26 unknown subject of a resource search": (RESOURCE_SEARCH, asked({**ALICE, "id": "x"}, READ, RECORDS), []),
    "26 unknown resource": (SUBJECT_SEARCH, asked(USERS, READ, {**RECORD, "id": "x"}), []),
    "26 unknown resource, actions": (ACTION_SEARCH, {"subject": ALICE, "resource": {**RECORD, "id": "x"}}, []),
    "26 unknown type of subject": (SUBJECT_SEARCH, asked({"type": "spaceship"}, READ, RECORD), []),
    "26 unknown type of resource": (RESOURCE_SEARCH, asked(ALICE, READ, {"type": "spaceship"}), []),
    "26 unknown types": (ACTION_SEARCH, {"subject": {**ALICE, "type": "x"}, "resource": {"type": "y", "id": "z"}}, []),
    "26 unknown action": (SUBJECT_SEARCH, asked(USERS, {"name": "approve"}, RECORD), []),
    "what is denied": (SUBJECT_SEARCH, asked(USERS, having(DELETE, soft=False), RECORD), []),
    "data subjects are pseudonyms": (SUBJECT_SEARCH, question(subject={"type": "data_subject"}), []),
    "and so are they for actions": (ACTION_SEARCH, question(), []),
}  # fmt: skip


@pytest.mark.parametrize(("path", "body", "found"), FOUND.values(), ids=FOUND)
def test_23_a_search_answers_with_results(
    records_token: str, path: str, body: dict[str, Any], found: list[str]
) -> None:
    document = _search(path, body, records_token)

    assert set(document) == {"results"}, "nobody asked for pages"
    assert _names(document) == found
    members = {"name"} if path == ACTION_SEARCH else {"type", "id"}
    for result in document["results"]:
        assert set(result) == members
        assert result.get("type", "user") in ("user", "record")


@pytest.mark.parametrize(("path", "body"), SEARCHES.items())
def test_without_the_package_nothing_is_found(shop_token: str, path: str, body: dict[str, Any]) -> None:
    publishing.publish("no certification", "test", certification=False)

    assert _search(path, body, shop_token) == {"results": []}


MISSING = {
    **{
        f"24 {path.rpartition('/')[2]} search without {part}": (path, {k: v for k, v in body.items() if k != part})
        for path, body in SEARCHES.items()
        for part in body
    },
    **{
        f"11 {path.rpartition('/')[2]} search with {part} {value!r}": (path, {**body, part: value})
        for path, body in SEARCHES.items()
        for part in (*body, "context")
        for value in ("x", [], 5)
    },
    "24 subject search, resource without id": (SUBJECT_SEARCH, asked(USERS, READ, RECORDS)),
    "24 subject search, resource without type": (SUBJECT_SEARCH, asked(USERS, READ, {"id": "record-1"})),
    "24 subject search, subject without type": (SUBJECT_SEARCH, asked({}, READ, RECORD)),
    "24 subject search, action without name": (SUBJECT_SEARCH, asked(USERS, {}, RECORD)),
    "24 resource search, subject without id": (RESOURCE_SEARCH, asked(USERS, READ, RECORDS)),
    "24 resource search, resource without type": (RESOURCE_SEARCH, asked(ALICE, READ, {"id": "record-1"})),
    "24 action search, subject without id": (ACTION_SEARCH, {"subject": USERS, "resource": RECORD}),
    "24 action search, resource without id": (ACTION_SEARCH, {"subject": ALICE, "resource": RECORDS}),
    **{
        f"30 {path.rpartition('/')[2]} search, page {number}": (path, {**body, "page": page})
        for path, body in SEARCHES.items()
        for number, page in enumerate((
            "x", [], 5, {"limit": -1}, {"limit": "1"}, {"limit": 1.5}, {"limit": True}, {"limit": [1]}, {"token": 5},
            {"properties": []},
        ))
    },
}  # fmt: skip


@pytest.mark.parametrize(("path", "body"), MISSING.values(), ids=MISSING)
def test_what_is_not_a_search_is_400(records_token: str, path: str, body: dict[str, Any]) -> None:
    assert_problem(call(body, records_token, path=path), 400, "invalid_request")
    assert_problem(call(body, "unheard-of", path=path), 401, "unauthenticated")


def test_28_every_result_is_permitted_and_nothing_else_is(records_token: str) -> None:
    said = [{}, {"role": "admin"}, {"role": "x"}]
    statuses = [{}, {"status": "active"}, {"status": "archived"}, {"status": "x"}]
    actions = [READ, WRITE, DELETE, having(DELETE, soft=True), having(DELETE, soft=False)]

    def permitted(subject: dict[str, Any], action: dict[str, Any], resource: dict[str, Any]) -> bool:
        return bool(call(asked(subject, action, resource), records_token).json()["decision"])

    for role, status, action in itertools.product(said, statuses, actions):
        users = [having(user, **role) for user in (ALICE, BOB)]
        records = [having(record, **status) for record in (RECORD, ARCHIVED)]
        for user in users:
            found = _search(RESOURCE_SEARCH, asked(user, action, having(RECORDS, **status)), records_token)
            assert _names(found) == [record["id"] for record in records if permitted(user, action, record)]
        for record in records:
            found = _search(SUBJECT_SEARCH, asked(having(USERS, **role), action, record), records_token)
            assert _names(found) == [user["id"] for user in users if permitted(user, action, record)]
            found = _search(ACTION_SEARCH, {"subject": users[0], "resource": record}, records_token)
            assert _names(found) == [
                name for name in ("delete", "read", "write") if permitted(users[0], {"name": name}, record)
            ]


# --- pages


@pytest.mark.parametrize(("path", "body"), SEARCHES.items())
@pytest.mark.parametrize("repeat_limit", [True, False])
def test_29_30_pages_hold_what_one_answer_would(
    records_token: str, path: str, body: dict[str, Any], repeat_limit: bool
) -> None:
    everything = _search(path, body, records_token)["results"]
    pages_seen, page = [], {"limit": 1}

    while True:
        document = _search(path, {**body, "page": page}, records_token)
        assert list(document) == ["page", "results"], "31 page comes first"
        assert document["page"]["count"] == len(document["results"]) == 1
        assert document["page"]["total"] == len(everything)
        pages_seen += document["results"]
        token = document["page"]["next_token"]
        if not token:
            break
        page = {"token": token, "limit": 1} if repeat_limit else {"token": token}

    assert pages_seen == everything


@pytest.mark.parametrize(("path", "body"), SEARCHES.items())
def test_29_a_page_that_holds_everything_says_so(records_token: str, path: str, body: dict[str, Any]) -> None:
    for page in ({}, {"limit": 2}, {"limit": 2**52}, {"limit": None, "token": None, "size": 1}):
        document = _search(path, {**body, "page": page}, records_token)
        assert document["page"] == {"next_token": "", "count": 2, "total": 2}
    assert "page" not in _search(path, {**body, "page": None}, records_token)


@pytest.mark.parametrize(("path", "body"), SEARCHES.items())
def test_30_a_limit_of_nothing_is_legal_and_goes_on(records_token: str, path: str, body: dict[str, Any]) -> None:
    nothing = _search(path, {**body, "page": {"limit": 0}}, records_token)

    assert nothing["results"] == []
    assert (nothing["page"]["count"], nothing["page"]["total"]) == (0, 2)
    rest = _search(path, {**body, "page": {"token": nothing["page"]["next_token"]}}, records_token)
    assert rest["page"]["count"] == 2


@pytest.mark.parametrize(("path", "body"), SEARCHES.items())
def test_30_a_token_is_of_its_own_search_only(records_token: str, path: str, body: dict[str, Any]) -> None:
    token = _search(path, {**body, "page": {"limit": 1}}, records_token)["page"]["next_token"]
    spoilt_tokens = [
        *(token[:-1], token + "A", token.swapcase(), token.replace(":", "", 1)),
        *("made-up", "x" * 3000, signing.dumps([0, 1, "x"])),
    ]
    others = [
        (path, {**body, "context": {"a": 1}, "page": {"token": token}}),
        (path, {**body, "resource": {**body["resource"], "properties": {"x": 1}}, "page": {"token": token}}),
        (path, {**body, "page": {"token": token, "limit": 2}}),
        (path, {**body, "page": {"token": token, "limit": 0}}),
        *((path, {**body, "page": {"token": one}}) for one in spoilt_tokens),
        *((other, {**valid, "page": {"token": token}}) for other, valid in SEARCHES.items() if other != path),
    ]

    for where, what in others:
        assert_problem(call(what, records_token, path=where), 400, "page_token_invalid")
    stranger = credentials.create_credential(name="other", scopes=["decisions"], actor="test")[0]
    assert_problem(call({**body, "page": {"token": token}}, stranger, path=path), 400, "page_token_invalid")
    assert call({**body, "page": {"token": token}}, records_token, path=path).status == 200


def test_30_a_token_holds_no_entity(records_token: str) -> None:
    body = SEARCHES[SUBJECT_SEARCH]
    token = _search(SUBJECT_SEARCH, {**body, "page": {"limit": 1}}, records_token)["page"]["next_token"]

    (start, limit, digest) = signing.loads(token, salt="authzen.search")

    assert (start, limit, len(digest)) == (1, 1, 64)


def test_29_an_answer_has_an_end_even_without_a_limit(records_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_RESULTS", 1)
    body = SEARCHES[SUBJECT_SEARCH]

    first = _search(SUBJECT_SEARCH, body, records_token)
    second = _search(SUBJECT_SEARCH, {**body, "page": {"token": first["page"]["next_token"]}}, records_token)

    assert (_names(first), _names(second)) == (["alice"], ["bob"])
    assert second["page"]["next_token"] == ""


# --- cost, log, access


@pytest.mark.parametrize(("path", "body"), SEARCHES.items())
def test_a_search_takes_one_statement_and_logs_what_it_told(
    records_token: str, spooled: Spooled, sql: list[str], path: str, body: dict[str, Any]
) -> None:
    _search(path, body, records_token)
    before, logged = information.STATEMENT.executions, len(spooled())
    sql.clear()

    document = _search(path, {**body, "page": {"limit": 1}}, records_token)

    assert information.STATEMENT.executions == before + 1
    assert sql == []
    (entry,) = spooled()[logged:]
    assert entry["outcome"] == "permit"
    assert "alice" not in json.dumps(entry)
    assert document["page"]["count"] == 1


@pytest.mark.parametrize("path", SEARCHES)
def test_45_a_credential_is_needed(records_token: str, path: str) -> None:
    assert_problem(call(SEARCHES[path], None, path=path), 401, "unauthenticated")
    assert_problem(call(SEARCHES[path], "unheard-of", path=path), 401, "unauthenticated")
    narrow = credentials.create_credential(name="narrow", scopes=["consents"], actor="test")[0]
    assert_problem(call(SEARCHES[path], narrow, path=path), 403, "forbidden")


@pytest.mark.parametrize("path", SEARCHES)
@settings(max_examples=100)
@given(data=st.data())
def test_a_spoilt_search_finds_nothing_an_evaluation_would_deny(
    standing_records: str, path: str, data: st.DataObject
) -> None:
    body = data.draw(spoilt({**SEARCHES[path], "page": {"limit": 2, "token": "x"}}))

    answer = call(json.dumps(body).encode(), standing_records, path=path)

    assert answer.status in (200, 400)
    searched = path.rpartition("/")[2]
    for found in answer.json().get("results", []):
        entity = found if searched == "action" else {**body[searched], **found}
        assert call({**body, searched: entity}, standing_records).json()["decision"] is True


@pytest.mark.parametrize("path", [SUBJECT_SEARCH, RESOURCE_SEARCH, ACTION_SEARCH])
@pytest.mark.parametrize("person", ["customer-1", "unknown-1"])
def test_a_search_names_nobody_who_consents_and_nothing_consented_to(shop_token: str, path: str, person: str) -> None:
    """Whatever a purpose was widened by, no search can stretch a consent: it lists none, neither old nor new."""
    body = {**question(person), "context": {"processing_region": "eu-central"}}
    assert call(body, shop_token).json()["decision"] is (person == "customer-1")

    assert _search(path, body, shop_token)["results"] == []
