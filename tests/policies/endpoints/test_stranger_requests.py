"""Requests of strangers and requests of many list entries: refused before they take memory or a statement."""

import json
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from common.postgres.prepared import PreparedStatement
from consent import signals
from oversight.guard import writing
from policies.endpoints import credentials
from policies.models import ServiceCredential
from tests.helpers.wsgi_calls import EVALUATION, EVALUATIONS, assert_problem, call, question

pytestmark = pytest.mark.django_db

MIB = 2**20
DECISIONS = "/api/v1/decisions"
SEARCHES = [f"/access/v1/search/{kind}" for kind in ("subject", "resource", "action")]
UNTAGGED_JUNK = f"assent_{'x' * 43}"
JUNK = ["x", UNTAGGED_JUNK, f"{UNTAGGED_JUNK}{'y' * 10}"]


def with_categories(count: int, *, word: str = "basket") -> dict[str, Any]:
    document = question()
    document["resource"]["properties"]["data_categories"] = [word] * count
    return document


def shared_list(items: str) -> bytes:
    """243 KB: one list of 60,000 empty strings that 1,000 items share."""
    body = {**with_categories(60_000, word=""), items: [{}] * 1_000}
    return json.dumps(body, separators=(",", ":")).encode()


def peak_bytes_of(*args: Any, **named: Any) -> tuple[Any, int]:
    tracemalloc.start()
    try:
        answer = call(*args, **named)
        return answer, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    execute = PreparedStatement.execute

    def counted(self: PreparedStatement, *args: Any) -> Any:
        found.append(args)
        return execute(self, *args)

    monkeypatch.setattr(PreparedStatement, "execute", counted)
    return found


@pytest.mark.parametrize("token", JUNK)
@pytest.mark.parametrize(("path", "items"), [(EVALUATIONS, "evaluations"), (DECISIONS, "decisions")])
def test_a_junk_tokens_batch_takes_no_memory(shop_token, path, items, token):
    body = shared_list(items)
    call(body, "x", path=path)
    answer, peak = peak_bytes_of(body, token, path=path)
    assert_problem(answer, 401, "unauthenticated")
    assert peak < MIB


@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS, DECISIONS, *SEARCHES])
def test_a_large_body_is_not_read_for_a_junk_token(path):
    for body in (b"{" * 5_000, shared_list("evaluations")):
        assert_problem(call(body, UNTAGGED_JUNK, path=path), 401, "unauthenticated")
    chunked = call(shared_list("evaluations"), UNTAGGED_JUNK, path=path, CONTENT_LENGTH=None)
    assert_problem(chunked, 401, "unauthenticated")


@pytest.mark.parametrize(("path", "items"), [(EVALUATIONS, "evaluations"), (DECISIONS, "decisions")])
def test_a_long_shared_list_is_a_fault_of_each_item(shop_token, path, items):
    body = shared_list(items)
    call(question(), shop_token)
    answer, peak = peak_bytes_of(body, shop_token, path=path)
    assert answer.status == 200
    listed = answer.json()[items]
    assert len(listed) == 1_000
    assert not any(item["decision"] for item in listed)
    assert "error" in listed[0] or "error" in listed[0]["context"]
    assert peak < 16 * MIB


@pytest.mark.parametrize("path", [EVALUATION, DECISIONS])
def test_64_data_categories_are_answered_and_65_refused(shop_token, path):
    assert call(with_categories(64), shop_token, path=path).status == 200
    assert_problem(call(with_categories(65), shop_token, path=path), 400, "invalid_request")


@pytest.mark.parametrize("count", [24, 25])
def test_a_list_of_tcf_purposes_has_an_end(shop_token, count):
    answer = call({**question(), "context": {"signals": {"tcf_purposes": [1] * count}}}, shop_token)
    assert answer.status == (200 if count == 24 else 400)


def test_searches_refuse_entities_of_many_properties(shop_token):
    def search(count: int) -> dict[str, Any]:
        properties = {f"p{number}": 1 for number in range(count)}
        return {
            "subject": {"type": "user", "id": "u", "properties": properties},
            "action": {"name": "read"},
            "resource": {"type": "record"},
        }

    path = "/access/v1/search/resource"
    assert call(search(100), shop_token, path=path).status == 200
    assert_problem(call(search(101), shop_token, path=path), 400, "invalid_request")


@pytest.mark.parametrize("token", [JUNK[0], JUNK[2]])
def test_a_token_without_our_tag_costs_no_statement(statements, token):
    assert_problem(call(question(), token), 401, "unauthenticated")
    assert statements == []


def test_singles_cost_one_statement_and_large_batches_two(shop_token, statements):
    assert call(question(), shop_token).status == 200
    assert len(statements) == 1
    statements.clear()
    assert call({"evaluations": [question()] * 100}, shop_token, path=EVALUATIONS).status == 200
    assert len(statements) == 2


def test_a_token_from_before_the_tags_stays_valid(shop_token):
    old = f"assent_{'k' * 43}"
    with transaction.atomic(), writing("test"):
        ServiceCredential.objects.create(
            name="older",
            scopes=["decisions"],
            token_hash=credentials.token_hash(old),
            expires_at=timezone.now() + timedelta(days=1),
        )

    assert call(question(), old).status == 200
    assert_problem(call(question(), f"assent_{'q' * 43}"), 401, "unauthenticated")


def test_a_changed_character_of_a_token_is_seen_without_the_database():
    token = credentials.create_credential(name="tagged", scopes=["decisions"], actor="test")[0]
    assert credentials.may_be_ours(token)
    for place in (7, 30, len(token) - 1):
        other = "A" if token[place] != "A" else "B"
        assert not credentials.may_be_ours(token[:place] + other + token[place + 1 :])


def test_remembered_signal_strings_are_bounded_in_bytes():
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(600):
        signals.read({"gpp": f"D{number:x}{'B' * 32_000}", "tcf": f"C{number:x}{'A' * 32_000}"})
        signals.read({"gpp": f"D{number:x}{'B' * 4_000}", "tcf": f"C{number:x}{'A' * 4_000}"})
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 8 * MIB
