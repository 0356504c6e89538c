"""Kind: a text that states nothing, in every member of every question. It is refused wherever a member is a text.

The table is made of whole requests, so that a member added to one of them is tried as well.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from policies.endpoints import consent_state, native
from tests.helpers.certification_cases import SEARCHES
from tests.helpers.wsgi_calls import EVALUATION, EVALUATIONS, assert_problem, call, question

BLANK = ["", " ", "\t", "\u00a0", "\u200b"]
WORDS = ["X", "ALL", "null"]
Path = tuple[str, ...]


def _full() -> dict[str, Any]:
    """Return a question with every member that the interfaces name."""
    full = question()
    full["subject"]["properties"] = {"region": "DE", "age_band": "adult"}
    full["action"]["properties"]["recipient"] = "mail-house"
    full["resource"]["properties"]["model"] = "basket"
    full["context"] |= {"channel": "web", "min_revision": 0}
    full["context"]["signals"] = {"gpc": False, "gpp_opt_out": False, "tcf_purposes": [5, 6]}
    return full


REQUESTS: dict[str, dict[str, Any]] = {
    EVALUATION: _full(),
    native.PATH: {**_full(), "explain": False, "would_change": True},
    EVALUATIONS: {**_full(), "evaluations": [{}], "options": {"evaluations_semantic": "execute_all"}},
    consent_state.PATH: {"subject": {"id": "customer-1", "type": "data_subject", "region": "DE"}},
    **{path: {**body, "page": {"token": "x", "limit": 5}} for path, body in SEARCHES.items()},
    "/api/v1/recommendations": {
        "mode": "permitted",
        "subject": {"id": "customer-1", "type": "data_subject", "region": "DE"},
        "purpose": "recommendations",
        "requested_level": "individual",
        "count": 5,
        "session": ["kettle"],
        "signals": {"gpc": False},
        "region": "DE",
        "processing_region": "eu-central",
    },
    "/api/v1/events": {
        "event_id": "e-1",
        "subject": {"id": "customer-1", "type": "data_subject", "region": "DE"},
        "purpose": "recommendations",
        "type": "rating",
        "item": "kettle",
        "value": 4,
        "occurred_at": "2026-01-05T10:00:00Z",
        "signals": {"gpc": False},
        "processing_region": "eu-central",
    },
}  # fmt: skip


def _members(value: Any, above: Path = ()) -> Iterator[Path]:
    for name, inner in value.items():
        yield (*above, name)
        if isinstance(inner, dict):
            yield from _members(inner, (*above, name))


def _with(document: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(document)
    part = document
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return document


TABLE = [(where, path) for where, document in REQUESTS.items() for path in _members(document)]


def _is_refused(answer: Any) -> bool:
    """Return whether a request, or the one question of a batch, was refused by its form."""
    if answer.status == 200:
        (only,) = answer.json()["evaluations"]
        return bool(only["context"].get("error", {}).get("status") == 400)
    assert answer.status == 400
    return True


@pytest.mark.parametrize(("where", "path"), TABLE, ids=lambda each: each if isinstance(each, str) else ".".join(each))
def test_a_blank_member_is_refused(where: str, path: Path, records_token: str, shop_token: str) -> None:
    token = records_token if where in SEARCHES else shop_token
    for value in BLANK:
        assert _is_refused(call(_with(REQUESTS[where], path, value), token, path=where)), ascii(value)


DECIDING = [EVALUATION, native.PATH]
# Names of the caller's own: any word is one.
FREE = {"subject.id", "resource.type", "resource.id"}


@pytest.mark.parametrize("where", DECIDING)
@pytest.mark.parametrize("path", list(_members(_full())), ids=".".join)
def test_a_word_of_no_vocabulary_never_permits(where: str, path: Path, api: Any, shop_token: str) -> None:
    api.save("customer-1", "give")
    for word in WORDS:
        answer = call(_with(question(), path, word), shop_token, path=where) if _is_there(path) else None
        if answer is None or (".".join(path) in FREE and path[0] == "resource"):
            continue
        permitted = answer.status == 200 and answer.json()["decision"]
        assert not permitted, word


def _is_there(path: Path) -> bool:
    part: Any = question()
    for name in path[:-1]:
        if name not in part:
            return False
        part = part[name]
    return True


@pytest.mark.parametrize("value", ["", "de", "DEU"])
def test_the_state_names_the_member_and_its_form(shop_token: str, value: str) -> None:
    answer = call({"subject": {"id": "customer-1", "region": value}}, shop_token, path=consent_state.PATH)

    assert_problem(answer, 400, "invalid_request")
    assert "subject.region must be two letters, such as DE" in answer.json()["detail"]


def test_the_state_repeats_no_name_it_does_not_know(shop_token: str) -> None:
    answer = call({"subject": {"id": "customer-1", "ada@example.org": 1}}, shop_token, path=consent_state.PATH)

    assert_problem(answer, 400, "invalid_request")
    assert "ada@example.org" not in answer.json()["detail"]


@pytest.mark.parametrize(("where", "body"), SEARCHES.items())
def test_an_empty_token_is_no_first_page(where: str, body: dict[str, Any], records_token: str) -> None:
    """The last page has an empty ``next_token``: asked with it, a search would begin anew and never end."""
    answer = call({**body, "page": {"token": ""}}, records_token, path=where)

    assert_problem(answer, 400, "page_token_invalid")
    assert call({**body, "page": {"token": None}}, records_token, path=where).status == 200
