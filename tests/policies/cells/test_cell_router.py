"""A request about somebody of another cell: forwarded, or answered at level none; nothing of it is written here."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditEvent
from consent.models import ConsentRecord, DataSubject
from consent.pseudonyms import subject_ref
from governance import wsgi
from governance.demo.traces import spellings, tables_with
from personalization.models import Item
from policies.bundles import publishing
from policies.decision_log.spool import SpoolFull
from policies.decisions import evaluate, information
from policies.endpoints import credentials
from policies.models import ResidencyRule
from tests.helpers import recent
from tests.helpers.cell_tables import TOKEN
from tests.helpers.certification_cases import RULES, SEARCHES
from tests.helpers.fake_cell import Asked, FakeCell
from tests.helpers.polling import until
from tests.helpers.wsgi_calls import EVALUATION, EVALUATIONS, WsgiResponse, assert_problem, call, question

Spooled = Callable[[], list[dict[str, Any]]]
EU_PERSON = "anna-4711"
PERMIT = {"decision": True, "context": {"decision_id": "0198", "level": "behavioral", "reasons": []}}
SAVED = {"subject_revision": 1, "records": []}
SERVED = {"level": "individual", "items": [{"item": "a"}], "decision_id": "0198"}


def about(person: str = EU_PERSON, region: Any = "DE", **changes: Any) -> dict[str, Any]:
    return question(subject={"type": "data_subject", "id": person, "properties": {"region": region}}, **changes)


def subject(person: str = EU_PERSON, region: str | None = "DE") -> dict[str, Any]:
    return {"id": person, **({"region": region} if region else {})}


def choice(person: str = EU_PERSON, region: str | None = "DE", kind: str = "give") -> dict[str, Any]:
    return {"subject": subject(person, region), "choices": [{"purpose": "recommendations", "choice": kind}]}


EVENT = {"event_id": "e-1", "type": "like", "item": "skillet", "occurred_at": recent.TEXT}


def traces(person: str = EU_PERSON) -> list[str]:
    """The tables of this cell that hold anything of the person."""
    refs = [subject_ref(person), subject_ref(person, subject_type="browser")]
    with connection.cursor() as cursor:
        return tables_with(cursor, spellings(person, refs))


def codes(answer: WsgiResponse) -> list[str]:
    return [reason["code"] for reason in answer.json()["context"]["reasons"]]


REQUEST = "/api/v1/requests/01a22666-bb83-73fb-b651-349528d86b49"
# Path, a body about the EU person, what the EU cell answers with, and under which scope.
FORWARDED = [
    (EVALUATION, about(), 200, PERMIT),
    (EVALUATIONS, {"evaluations": [about(), about()]}, 200, {"evaluations": [PERMIT, PERMIT]}),
    ("/api/v1/decisions", about(), 200, {"decision": True, "level": "behavioral"}),
    ("/api/v1/decisions", {"decisions": [about()]}, 200, {"decisions": [{"decision": False}]}),
    ("/access/v1/search/action", about(), 200, {"results": []}),
    ("/api/v1/consents", choice(), 201, SAVED),
    ("/api/v1/consents", choice(kind="withdraw"), 409, {"code": "nothing_to_withdraw"}),
    ("/api/v1/consents/state", {"subject": subject()}, 200, {"known": True, "purposes": {}}),
    ("/api/v1/consents/history", {"subject": subject()}, 200, {"records": []}),
    ("/api/v1/consents/receipts", {"subject": subject()}, 404, {"code": "not_found"}),
    ("/api/v1/requests", {"subject": subject(), "right": "access"}, 201, {"state": "done"}),
    ("/api/v1/requests/list", {"subject": subject()}, 200, {"requests": []}),
    (REQUEST, {"subject": subject()}, 200, {"state": "done"}),
    (f"{REQUEST}/cancel", {"subject": subject()}, 200, {"state": "cancelled"}),
    (f"{REQUEST}/end-mandate", {"subject": subject()}, 409, {"code": "request_state"}),
    (f"{REQUEST}/download", {"subject": subject()}, 201, {"url": "https://eu.example.org/privacy/files/x"}),
    ("/api/v1/dashboard-links", {"subject": subject()}, 201, {"url": "https://eu.example.org/privacy/open/x"}),
    ("/api/v1/dashboard-links/revoke", {"subject": subject()}, 200, {"links": 0, "sessions": 0}),
    ("/api/v1/events", {**EVENT, "subject": subject()}, 201, {"stored": True}),
    ("/api/v1/recommendations", {"subject": subject()}, 200, SERVED),
    ("/api/v1/recommendations", {"subject": subject(region=None), "region": "DE"}, 200, SERVED),
]


@pytest.mark.parametrize(("path", "body", "status", "answer"), FORWARDED, ids=[f"{c[0]}-{c[2]}" for c in FORWARDED])
def test_every_way_in_is_forwarded_to_the_persons_cell(
    us: str, eu: FakeCell, spooled: Spooled, path: str, body: Any, status: int, answer: Any
) -> None:
    eu.status, eu.answer = status, answer

    told = call(body, us, path=path, HTTP_IDEMPOTENCY_KEY="k-1", HTTP_X_REQUEST_ID="r-1")

    assert (told.status, told.json()) == (status, answer)
    assert told.headers["X-Assent-Cell"] == "eu"
    [asked] = eu.asked
    assert asked.path == path
    assert asked.headers["X-Assent-Cell"] == "us"
    assert asked.headers["X-Assent-Caller"] == "shop"
    assert asked.headers["Idempotency-Key"] == "k-1"
    assert asked.headers["X-Request-ID"] == "r-1"
    assert us not in str(asked.headers)
    assert traces() == []
    assert spooled() == []


def test_people_of_this_cell_are_answered_here(us: str, eu: FakeCell) -> None:
    saved = call(choice("joe", "US-CA"), us, path="/api/v1/consents")
    told = call(about("joe", "US", context={"processing_region": "us-east"}), us)

    assert saved.status == 201
    assert (told.status, told.json()["decision"]) == (200, True)
    assert "X-Assent-Cell" not in told.headers
    assert traces("joe") != []
    assert eu.asked == []


def test_a_person_known_here_is_answered_here_without_a_region(us: str, eu: FakeCell) -> None:
    call(choice("joe", "US"), us, path="/api/v1/consents")

    told = call({"subject": subject("joe", None)}, us, path="/api/v1/consents/state")

    assert told.json()["purposes"]["recommendations"]["state"] == "given"
    assert call(choice("joe", None, "withdraw"), us, path="/api/v1/consents").status == 201
    assert eu.asked == []


WITHOUT_REGION = [
    (EVALUATION, question(EU_PERSON)),
    (EVALUATIONS, {"evaluations": [question(EU_PERSON)]}),
    ("/api/v1/decisions", question(EU_PERSON)),
    ("/api/v1/recommendations", {"subject": subject(region=None)}),
]


@pytest.mark.parametrize(("path", "body"), WITHOUT_REGION, ids=[path for path, _ in WITHOUT_REGION])
def test_a_question_about_nobody_known_without_a_region_is_answered_at_none(
    us: str, eu: FakeCell, spooled: Spooled, path: str, body: Any
) -> None:
    told = call(body, us, path=path)

    assert told.status == 200
    [entry] = spooled()
    assert (entry["subject"], entry["outcome"], entry["level"]) == ("", "unknown", "none")
    assert [reason["code"] for reason in entry["reasons"]] == ["region_unknown"]
    assert entry["caller"] == "service:shop"
    assert entry["id"] in told.body.decode()
    assert b'"decision":true' not in told.body
    assert traces() == []
    assert eu.asked == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/consents", choice(region=None)),
        ("/api/v1/consents", choice(region=None, kind="refuse")),
        ("/api/v1/consents", choice(region="ZZ")),
        ("/api/v1/consents/state", {"subject": subject(region=None)}),
        ("/api/v1/consents/history", {"subject": subject(region=None)}),
        ("/api/v1/dashboard-links", {"subject": subject(region=None)}),
        ("/api/v1/dashboard-links/revoke", {"subject": subject(region=None)}),
        ("/api/v1/events", {**EVENT, "subject": subject(region=None)}),
    ],
)
def test_nothing_is_read_or_saved_about_nobody_known_without_a_region(
    us: str, eu: FakeCell, path: str, body: Any
) -> None:
    assert_problem(call(body, us, path=path), 422, "region_needed")
    assert traces() == []
    assert eu.asked == []


@pytest.mark.parametrize("what", ["subject", "resource", "action"])
def test_a_search_is_about_entities_and_needs_no_region(us: str, eu: FakeCell, spooled: Spooled, what: str) -> None:
    told = call(question(EU_PERSON), us, path=f"/access/v1/search/{what}")

    assert (told.status, told.json()) == (200, {"results": []})
    assert eu.asked == spooled() == []


def test_entities_of_a_package_are_in_every_cell(records_token: str, become: Callable[..., None], eu: FakeCell) -> None:
    become("us", {"eu": eu.url})

    told = call({"evaluations": [body for body, _ in RULES.values()]}, records_token, path=EVALUATIONS)

    assert [answer["decision"] for answer in told.json()["evaluations"]] == [holds for _, holds in RULES.values()]
    assert all(call(body, records_token).json()["decision"] is holds for body, holds in RULES.values())
    assert all(call(body, records_token, path=path).json()["results"] for path, body in SEARCHES.items())
    assert eu.asked == []


def test_a_region_against_the_stored_one_is_a_doubt(us: str, eu: FakeCell, spooled: Spooled) -> None:
    call(choice("joe", "US"), us, path="/api/v1/consents")

    told = call(about("joe", "DE"), us)

    assert (told.json()["decision"], codes(told)) == (False, ["region_conflict"])
    assert_problem(call(choice("joe", "DE"), us, path="/api/v1/consents"), 409, "region_conflict")
    assert DataSubject.objects.get(pk=subject_ref("joe")).region == "US"
    assert eu.asked == []
    # A no can still be said: what is stored here is what it is about.
    assert call(choice("joe", None, "refuse"), us, path="/api/v1/consents").status == 201


def test_people_no_cell_may_hold_are_denied_and_not_stored(us: str, eu: FakeCell) -> None:
    ResidencyRule.objects.filter(subject_group="br").delete()
    publishing.publish("rule withdrawn", "test")

    assert codes(call(about(region="BR"), us)) == ["residency"]
    assert_problem(call(choice(region="BR"), us, path="/api/v1/consents"), 422, "no_cell")
    assert traces() == []


# --- the other cell is away, slow, or says nonsense -------------------------------------------------------------------

TROUBLES: list[tuple[str, dict[str, Any]]] = [
    ("internal error", {"status": 500, "answer": PERMIT}),
    ("refused credential", {"status": 401, "answer": {"code": "unauthenticated"}}),
    ("refused scope", {"status": 403, "answer": {"code": "forbidden"}}),
    ("other rules there", {"status": 421, "answer": {"code": "not_this_cell"}}),
    ("redirect", {"status": 302, "answer": PERMIT, "headers": {"Location": "http://127.0.0.1:1/"}}),
    ("no JSON", {"answer": b"<html>yes</html>"}),
    ("half JSON", {"answer": b'{"decision": true'}),
    ("no object", {"answer": [True]}),
    ("no decision", {"answer": {"context": {}}}),
    ("a word", {"answer": {"decision": "true"}}),
    ("a number", {"answer": {"decision": 1}}),
    ("another type", {"answer": PERMIT, "content_type": "text/html"}),
    ("packed", {"answer": PERMIT, "headers": {"Content-Encoding": "gzip"}}),
    ("oversize", {"answer": b'{"decision": true, "padding": "%s"}' % (b"x" * 5 * 1024 * 1024)}),
    ("silent", {"is_silent": True}),
]


@pytest.mark.parametrize(("trouble", "answer"), TROUBLES, ids=[name for name, _ in TROUBLES])
def test_trouble_with_the_other_cell_is_a_denial_at_none(
    us: str, eu: FakeCell, spooled: Spooled, settings: Any, trouble: str, answer: dict[str, Any]
) -> None:
    if trouble == "silent":
        settings.CELL_TIMEOUT_MS = 300
    for name, value in answer.items():
        setattr(eu, name, value)

    told = call(about(), us)

    assert told.status == 200
    assert (told.json()["decision"], told.json()["context"]["level"]) == (False, "none")
    assert codes(told) == ["cell_unavailable"]
    until(lambda: len(eu.asked) == 1, "the cell was asked")  # a silent one is given up before it has read the request
    [entry] = spooled()
    assert (entry["subject"], entry["outcome"]) == ("", "unknown")
    assert traces() == []


def test_a_cell_that_is_away_leaves_popular_things_and_no_writes(
    us: str, become: Callable[..., None], spooled: Spooled
) -> None:
    become("us", {"eu": "http://127.0.0.1:1"})

    served = call({"subject": subject()}, us, path="/api/v1/recommendations").json()

    assert (served["level"], served["fallback"], served["profiled"]) == ("none", "cell_unavailable", False)
    assert_problem(call(choice(), us, path="/api/v1/consents"), 503, "cell_unavailable")
    assert_problem(call({**EVENT, "subject": subject()}, us, path="/api/v1/events"), 503, "cell_unavailable")
    assert_problem(call({"subject": subject()}, us, path="/api/v1/consents/state"), 503, "cell_unavailable")
    assert [entry["id"] for entry in spooled()] == [served["decision_id"]]  # what was refused was not decided
    assert traces() == []


def test_a_cell_that_keeps_failing_is_left_alone_for_a_while(us: str, eu: FakeCell) -> None:
    eu.status, eu.answer = 503, {}

    told = [codes(call(about(), us)) for _ in range(7)]

    assert told == [["cell_unavailable"]] * 7
    assert len(eu.asked) == 5


def test_an_answer_that_cannot_be_logged_is_not_given(
    us: str, become: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    become("us", {"eu": "http://127.0.0.1:1"})
    monkeypatch.setattr(evaluate._spool, "append", _full)

    assert_problem(call(about(), us), 503, "log_unavailable")


def _full(_line: bytes) -> None:
    raise SpoolFull


def test_a_connection_that_was_closed_meanwhile_is_no_outage(us: str, eu: FakeCell) -> None:
    eu.answer, eu.hangs_up = PERMIT, True

    for number in range(3):
        assert call(about(), us).json() == PERMIT
        # The end of a connection has to arrive before the next request.
        until(lambda number=number: eu.hung_up > number, "the cell hangs up")


def test_an_installation_of_its_own_has_no_gate_and_a_cell_one_statement_more(
    shop_token: str, become: Callable[..., None]
) -> None:
    def statements() -> tuple[int, int]:
        one, many = information.STATEMENT.executions, information.STATEMENT_FOR_MANY.executions
        assert call(about("customer-1"), shop_token).status == 200
        return information.STATEMENT.executions - one, information.STATEMENT_FOR_MANY.executions - many

    assert wsgi.cell_router is None
    assert statements() == (1, 0)
    become("eu")
    assert statements() == (1, 1)


def test_connections_are_kept_and_no_credential_is_taken_from_the_caller(us: str, eu: FakeCell) -> None:
    eu.answer = PERMIT

    for _ in range(3):
        assert call(about(), us).json() == PERMIT

    assert {asked.headers["Authorization"] for asked in eu.asked} == {f"Bearer {TOKEN}"}


# --- batches ----------------------------------------------------------------------------------------------------------


def _permit_each(asked: Asked) -> tuple[int, Any]:
    member = "evaluations" if "evaluations" in asked.body else "decisions"
    return 200, {member: [{"decision": True, "from": "eu"} for _ in asked.body[member]]}


def _mixed() -> list[dict[str, Any]]:
    here = {"processing_region": "us-east"}
    return [about(), about("joe", "US", context=here), question("nobody"), about("otto", "AT"), about(region=7)]


def test_a_batch_is_answered_by_each_persons_cell_in_its_order(us: str, eu: FakeCell, spooled: Spooled) -> None:
    call(choice("joe", "US"), us, path="/api/v1/consents")
    eu.answer = _permit_each

    told = call({"evaluations": _mixed()}, us, path=EVALUATIONS).json()["evaluations"]

    assert [answer.get("from") for answer in told] == ["eu", None, None, "eu", None]
    assert [answer["decision"] for answer in told] == [True, True, False, True, False]
    assert told[2]["context"]["reasons"][0]["code"] == "region_unknown"
    assert told[4]["context"]["error"]["status"] == 400
    [asked] = eu.asked
    assert [item["subject"]["id"] for item in asked.body["evaluations"]] == [EU_PERSON, "otto"]
    assert [entry["subject"] == "" for entry in spooled()] == [False, True]
    assert traces() == traces("otto") == []


def test_a_native_batch_is_split_as_well(us: str, eu: FakeCell) -> None:
    eu.answer = _permit_each

    told = call({"decisions": _mixed(), "would_change": False}, us, path="/api/v1/decisions").json()["decisions"]

    assert [answer["decision"] for answer in told] == [True, False, False, True, False]
    assert told[2]["reasons"][0]["code"] == "region_unknown"
    assert "would_change" not in told[2]
    assert eu.asked[0].body["would_change"] is False


@pytest.mark.parametrize(
    ("semantic", "count"), [("execute_all", 5), ("deny_on_first_deny", 3), ("permit_on_first_permit", 1)]
)
def test_a_split_batch_ends_where_it_is_told_to(us: str, eu: FakeCell, semantic: str, count: int) -> None:
    call(choice("joe", "US"), us, path="/api/v1/consents")
    eu.answer = _permit_each

    body = {"evaluations": _mixed(), "options": {"evaluations_semantic": semantic}}
    told = call(body, us, path=EVALUATIONS).json()["evaluations"]

    assert len(told) == count


def test_a_part_that_cannot_be_asked_is_denied_and_the_rest_answered(us: str, eu: FakeCell) -> None:
    call(choice("joe", "US"), us, path="/api/v1/consents")
    eu.status = 500

    told = call({"evaluations": _mixed()}, us, path=EVALUATIONS).json()["evaluations"]

    assert [answer["decision"] for answer in told] == [False, True, False, False, False]
    assert told[0]["context"]["reasons"][0]["code"] == "cell_unavailable"


def test_too_few_answers_are_no_answers(us: str, eu: FakeCell) -> None:
    eu.answer = {"evaluations": [PERMIT]}

    told = call({"evaluations": [about(), about("otto", "AT")]}, us, path=EVALUATIONS).json()["evaluations"]

    assert [answer["decision"] for answer in told] == [False, False]


@pytest.mark.parametrize(("count", "cell"), [(0, None), (1, "eu"), (2, "eu"), (3, None)])
def test_a_batch_that_may_end_early_ends_within_its_questions(
    us: str, eu: FakeCell, count: int, cell: str | None
) -> None:
    eu.answer = {"evaluations": [PERMIT] * count}
    body = {
        "evaluations": [about(), about("otto", "AT")],
        "options": {"evaluations_semantic": "permit_on_first_permit"},
    }

    assert call(body, us, path=EVALUATIONS).headers.get("X-Assent-Cell") == cell


def test_a_part_of_a_batch_has_to_be_answered_whole(us: str, eu: FakeCell) -> None:
    eu.answer = {"evaluations": [PERMIT]}
    body = {"evaluations": _mixed(), "options": {"evaluations_semantic": "permit_on_first_permit"}}

    told = call(body, us, path=EVALUATIONS).json()["evaluations"]

    assert [answer["decision"] for answer in told] == [False] * 5


EVENTS = "/api/v1/events/batch"


def _store_each(asked: Asked) -> tuple[int, Any]:
    return 200, {"events": [{"stored": True, "from": "eu"} for _ in asked.body["events"]]}


def _events(*people: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**EVENT, "event_id": f"e-{number}", "subject": each} for number, each in enumerate(people)]


def test_events_go_to_each_persons_cell_and_one_that_has_none_keeps_no_other_from_being_stored(
    us: str, eu: FakeCell
) -> None:
    call(choice("joe", "US"), us, path="/api/v1/consents")
    Item.objects.create(slug="skillet", title="Skillet")
    eu.answer = _store_each
    batch = _events(subject(), subject("joe", None), subject("stranger-9917", None))

    told = call({"events": batch, "signals": {"gpc": False}}, us, path=EVENTS)

    assert told.status == 200, told.json()
    elsewhere, here, nowhere = told.json()["events"]
    assert (elsewhere, here["stored"]) == ({"stored": True, "from": "eu"}, True)
    assert (nowhere["stored"], nowhere["error"]["code"], nowhere["error"]["status"]) == (False, "region_needed", 422)
    [asked] = eu.asked
    assert asked.body == {"events": batch[:1], "signals": {"gpc": False}}
    assert traces() == traces("stranger-9917") == []


def test_events_of_a_cell_that_is_away_are_told_one_by_one(us: str, eu: FakeCell) -> None:
    call(choice("joe", "US"), us, path="/api/v1/consents")
    Item.objects.create(slug="skillet", title="Skillet")
    eu.status = 500

    told = call({"events": _events(subject(), subject("joe", None))}, us, path=EVENTS).json()["events"]

    assert (told[0]["error"]["code"], told[1]["stored"]) == ("cell_unavailable", True)


# --- what the question is about ---------------------------------------------------------------------------------------


def test_a_question_is_about_processing_here_unless_it_says_where(us: str, eu: FakeCell) -> None:
    eu.answer = PERMIT
    unsaid = {key: value for key, value in about().items() if key != "context"}

    for body in (unsaid, about(context={"channel": "web"}), about(context={"processing_region": "eu-central"})):
        call(body, us)

    assert [asked.body["context"]["processing_region"] for asked in eu.asked] == ["us-east", "us-east", "eu-central"]


def test_a_recommendation_is_made_where_the_person_is_held(us: str, eu: FakeCell) -> None:
    eu.answer = SERVED

    call({"subject": subject()}, us, path="/api/v1/recommendations")

    assert eu.asked[0].body == {"subject": subject()}


# --- who may ask ------------------------------------------------------------------------------------------------------


def test_whoever_may_not_ask_here_is_not_asked_for_there(us: str, eu: FakeCell) -> None:
    narrow, _ = credentials.create_credential(name="narrow", scopes=["events"], actor="test")

    assert_problem(call(about(), None), 401, "unauthenticated")
    assert_problem(call(about(), "assent_wrong"), 401, "unauthenticated")
    assert_problem(call(about(), narrow), 403, "forbidden")
    assert eu.asked == []


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'{"subject": {"id": "a", "id": "b"}}', b"x" * 300_000],
    ids=["half", "list", "double", "long"],
)
def test_what_cannot_be_read_is_refused_as_ever(us: str, eu: FakeCell, body: bytes) -> None:
    told = call(body, us)

    assert told.status in (400, 413)
    assert eu.asked == []


UNASKABLE: list[tuple[str, Any, int]] = [
    (EVALUATION, {"subject": {"id": EU_PERSON}, "action": {"name": "personalize"}, "resource": {}}, 400),
    (EVALUATION, {"subject": {"type": "data_subject", "id": EU_PERSON}}, 400),
    ("/api/v1/decisions", {"subject": {"type": "data_subject", "id": EU_PERSON}}, 400),
    ("/api/v1/recommendations", {"subject": subject(region=None), "count": 1000}, 400),
    (EVALUATIONS, {"evaluations": [question(EU_PERSON)], "options": {"evaluations_semantic": "maybe"}}, 400),
]


@pytest.mark.parametrize(("path", "body", "status"), UNASKABLE)
def test_what_is_no_question_is_refused_and_not_denied(
    us: str, eu: FakeCell, spooled: Spooled, path: str, body: Any, status: int
) -> None:
    assert_problem(call(body, us, path=path), status, "invalid_request")
    assert spooled() == []
    assert traces() == []


@pytest.mark.parametrize("kind", ["*/*", "application/*", "text/plain", "", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("path", [EVALUATION, "/api/v1/consents", "/api/v1/recommendations", "/api/v1/events"])
def test_no_other_type_of_body_gets_past(us: str, eu: FakeCell, spooled: Spooled, path: str, kind: str) -> None:
    """REST framework reads a body whose type is a wildcard."""
    body = {**EVENT, **choice(), **about(), "subject": {**about()["subject"], "region": "DE"}}

    assert_problem(call(body, us, path=path, CONTENT_TYPE=kind), 400, "invalid_request")
    assert eu.asked == spooled() == []


def test_a_length_that_lies_gets_nothing_past(us: str, eu: FakeCell, spooled: Spooled) -> None:
    eu.answer = PERMIT

    for length in ("", "none", "99999999999", "300000"):
        assert call(about(), us, CONTENT_LENGTH=length).json() == PERMIT

    assert spooled() == []


# --- the cell that is asked -------------------------------------------------------------------------------------------


def test_another_cell_asks_for_its_caller_who_is_named_in_log_and_trail(
    as_us: dict[str, Any], spooled: Spooled
) -> None:
    saved = call(choice(), None, path="/api/v1/consents", **as_us)
    told = call(about(), None, **as_us)

    assert saved.status == 201
    assert told.json()["decision"] is True
    assert spooled()[-1]["caller"] == "service:web shop@us"
    assert ConsentRecord.objects.get(subject_id=subject_ref(EU_PERSON)).actor == "service:web shop@us"
    assert AuditEvent.objects.filter(action="consent.given", actor="service:web shop@us").count() == 1
    # The next call is not made on behalf of another.
    own, _ = credentials.create_credential(name="till", scopes=["decisions"], actor="test")
    call(about(), own)
    assert spooled()[-1]["caller"] == "service:till"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (EVALUATION, about()),
        ("/access/v1/evaluations", {"evaluations": [about()]}),
        ("/api/v1/consents", choice()),
        ("/api/v1/consents/state", {"subject": subject()}),
        ("/api/v1/dashboard-links", {"subject": subject()}),
    ],
)
@pytest.mark.parametrize("installation", ["cell", "alone"])
def test_a_cells_credential_is_nothing_without_its_header(
    as_us: dict[str, Any], monkeypatch: pytest.MonkeyPatch, path: str, body: Any, installation: str
) -> None:
    if installation == "alone":
        monkeypatch.setattr(wsgi, "cell_router", None)
    own = {"HTTP_AUTHORIZATION": as_us["HTTP_AUTHORIZATION"]}

    assert_problem(call(body, None, path=path, **own), 403, "forbidden")
    assert not ConsentRecord.objects.filter(subject_id=subject_ref(EU_PERSON)).exists()


def test_a_cells_credential_opens_no_door_that_is_not_forwarded(as_us: dict[str, Any]) -> None:
    item = {"id": "kettle", "title": "Kettle", "categories": []}

    told = call({"items": [item]}, None, path="/api/v1/items", REQUEST_METHOD="PUT", **as_us)

    assert_problem(told, 403, "forbidden")
    assert not Item.objects.filter(slug="kettle").exists()


def test_django_views_name_the_caller_as_well(as_us: dict[str, Any]) -> None:
    told = call({"subject": subject()}, None, path="/api/v1/dashboard-links", **as_us)

    assert told.status == 201, told.body
    assert AuditEvent.objects.get(action="subject_link.issued").actor == "service:web shop@us"


def test_what_was_forwarded_is_never_sent_on(as_us: dict[str, Any]) -> None:
    for body, path in ((about(region="US"), EVALUATION), (choice(region="US"), "/api/v1/consents")):
        assert_problem(call(body, None, path=path, **as_us), 421, "not_this_cell")
    assert_problem(call(question(EU_PERSON), None, **as_us), 421, "not_this_cell")
    assert traces() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"HTTP_X_ASSENT_CELL": "uk"},
        {"HTTP_X_ASSENT_CELL": "eu"},
        {"HTTP_X_ASSENT_CELL": ""},
        {"HTTP_X_ASSENT_CALLER": ""},
        {"HTTP_X_ASSENT_CALLER": "a%0Ab"},
        {"HTTP_X_ASSENT_CALLER": "x" * 81},
    ],
)
def test_a_cell_speaks_for_itself_alone(as_us: dict[str, Any], changes: dict[str, str]) -> None:
    assert_problem(call(about(), None, **{**as_us, **changes}), 403, "forbidden")


def test_a_service_cannot_play_a_cell(as_us: dict[str, Any], shop_token: str) -> None:
    imposter, _ = credentials.create_credential(name="cell-us", scopes=["decisions"], actor="test")
    headers = {name: value for name, value in as_us.items() if name != "HTTP_AUTHORIZATION"}

    assert_problem(call(about(), imposter, **headers), 403, "forbidden")
    assert_problem(call(about(), shop_token, **headers), 403, "forbidden")


def test_a_cell_needs_the_scope_of_what_it_forwards(as_us: dict[str, Any]) -> None:
    narrow, _ = credentials.create_credential(name="cell-us", scopes=["cells", "decisions"], actor="test")
    headers = {**as_us, "HTTP_AUTHORIZATION": f"Bearer {narrow}"}

    assert call(about(), None, **headers).status == 200
    assert_problem(call(choice(), None, path="/api/v1/consents", **headers), 403, "forbidden")
