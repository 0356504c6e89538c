"""Batches of events at the border: each event answered as it would be alone, stored once, and never after a no."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from consent.pseudonyms import subject_ref
from personalization.intake import endpoint, storing, streams
from personalization.models import Event, EventStream, SignalLoss
from policies.decisions import information
from policies.decisions.evaluate import BatchEvaluation
from policies.endpoints import credentials
from tests.helpers import recent

PATH = endpoint.PATH
STREAM = "page-0123456789abcdef"


@pytest.fixture
def agreed(api, shop):
    for person in ("customer-1", "customer-2"):
        api.save(person, "give")


@pytest.fixture
def send(api, event_body):
    def batch(*events, **shared):
        bodies = [event_body(event_id=f"e-{number}", **each) for number, each in enumerate(events)]
        return api.post(PATH, {"events": bodies, **shared})

    return batch


def _short(answers):
    return [
        each["error"]["code"] if "error" in each else ("stored", "again")[each["duplicate"]] if each["stored"] else
        each["reasons"][0]["code"]
        for each in answers
    ]  # fmt: skip


def test_every_event_is_answered_as_it_would_be_alone(api, agreed, shop):
    api.save("customer-3", "refuse")
    event = {"item": shop.items[0].id, "occurred_at": recent.AT.isoformat(), "type": "view"}
    bodies = [
        {**event, "event_id": "a", "subject": {"id": "customer-1"}},
        {**event, "event_id": "b", "subject": {"id": "customer-2"}, "type": "rating", "value": 4},
        {**event, "event_id": "c", "subject": {"id": "customer-3"}},
        {**event, "event_id": "d", "subject": {"id": "stranger"}},
        {**event, "event_id": "e", "subject": {"id": "customer-1"}, "item": "no-such-item"},
        {**event, "event_id": "f", "subject": {"id": "customer-1"}, "type": "rating"},
        {**event, "event_id": "a", "subject": {"id": "customer-1"}},
        {**event, "event_id": "a", "subject": {"id": "customer-1"}, "type": "like"},
        {**event, "event_id": "g", "subject": {"id": "customer-1"}, "occurred_at": "2020-01-01T00:00:00Z"},
        {**event, "event_id": "h", "subject": {"id": "customer-1"}, "processing_region": "us-east"},
    ]

    answer = api.post(PATH, {"events": bodies})

    assert answer.status_code == 200, answer.content
    answers = answer.json()["events"]
    assert _short(answers) == [
        "stored", "stored", "consent_refused", "subject_unknown", "item_unknown", "invalid_request", "again",
        "event_id_taken", "event_too_old", "residency",
    ]  # fmt: skip
    assert list(answers[5]["error"]["errors"]) == ["value"]
    assert {(e.subject_ref, e.kind) for e in Event.objects.all()} == {
        (subject_ref("customer-1"), "view"),
        (subject_ref("customer-2"), "rating"),
    }


def test_a_repeat_of_the_whole_request_changes_nothing(agreed, send):
    events = [{"type": "view"}, {"type": "like"}, {"person": "customer-2"}]
    assert _short(send(*events).json()["events"]) == ["stored"] * 3

    again = send(*events)

    assert _short(again.json()["events"]) == ["again"] * 3
    assert Event.objects.count() == 3


def test_a_batch_and_a_single_event_know_each_other(api, agreed, send, event_body):
    send({"type": "view"})

    assert api.post("/api/v1/events", event_body(event_id="e-0")).json()["duplicate"] is True
    assert api.post("/api/v1/events", event_body(event_id="e-0", type="like")).status_code == 409


def test_what_events_share_is_said_once_and_an_event_replaces_it_whole(api, agreed, shop):
    own = {"item": shop.items[0].id, "occurred_at": recent.AT.isoformat(), "type": "view"}
    events = [{**own, "event_id": "a"}, {**own, "event_id": "b", "subject": {"id": "customer-2"}}]

    answer = api.post(PATH, {"subject": {"id": "customer-1"}, "events": events})

    assert _short(answer.json()["events"]) == ["stored", "stored"]
    assert Event.objects.values("subject_ref").distinct().count() == 2


@pytest.mark.parametrize("count", [1, 20])
def test_the_number_of_statements_is_that_of_one_event(agreed, send, sql, count):
    send({"person": "stranger"})  # what a process reads once
    before, read, own = len(sql), information.STATEMENT_FOR_MANY.executions, storing.executions()

    answers = send(*[{"person": f"customer-{1 + number % 2}"} for number in range(count)]).json()["events"]

    assert _short(answers) == ["stored"] * count
    assert (len(sql) - before, information.STATEMENT_FOR_MANY.executions - read) == (0, 1)
    assert storing.executions() - own == 2, "the catalogue's, and the one that stores"


def test_questions_that_events_have_in_common_are_asked_once(agreed, send, own_spool):
    send(*[{"type": "view"}] * 3, *[{"type": "like"}] * 2, {"person": "customer-2", "type": "view"})

    lines = [line for path in own_spool.iterdir() for line in path.read_text().splitlines()]
    assert len([line for line in lines if '"collect"' in line]) == 3


@pytest.mark.django_db(transaction=True)
def test_nothing_is_stored_after_a_no_that_came_between(api, agreed, send, monkeypatch):
    log, steps = BatchEvaluation.log, [lambda: api.save("customer-1", "withdraw")]

    def and_then(batch):
        log(batch)
        if steps:
            steps.pop()()

    monkeypatch.setattr(BatchEvaluation, "log", and_then)

    answer = send({"type": "view"}, {"person": "customer-2"}, {"type": "like"})

    assert _short(answer.json()["events"]) == ["consent_withdrawn", "stored", "consent_withdrawn"]
    assert [e.subject_ref for e in Event.objects.all()] == [subject_ref("customer-2")]


@pytest.mark.django_db(transaction=True)
def test_two_batches_about_the_same_people_in_another_order_both_end(api, agreed, event_body):
    answers = []

    def batch(name, people):
        bodies = [event_body(person, event_id=f"{name}-{n}") for n in range(10) for person in people]
        bodies = [{**body, "event_id": f"{name}-{n}"} for n, body in enumerate(bodies)]
        answers.append(_short(api.post(PATH, {"events": bodies}).json()["events"]))
        connection.close()

    people = ["customer-1", "customer-2"]
    threads = [
        threading.Thread(target=batch, args=(name, order)) for name, order in (("a", people), ("b", people[::-1]))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [["stored"] * 20] * 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"events": []},
        {"events": {}},
        {"events": "all"},
        {"events": [{}] * 1_001},
        {"events": [{}, None]},
        {"events": [["event_id"]]},
        {"events": [{}], "event": {}},
    ],
    ids=["none", "empty", "object", "text", "too many", "null", "list", "another member"],
)
def test_what_is_no_batch_is_refused_whole(api, agreed, body):
    answer = api.post(PATH, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert "1,000" in answer.json()["detail"]


@pytest.mark.parametrize("item", [{}, {"event_id": "a"}, {"events": []}])
def test_what_is_no_event_is_refused_by_its_place_alone(api, agreed, event_body, item):
    answer = api.post(PATH, {"events": [item, event_body()]})

    assert _short(answer.json()["events"]) == ["invalid_request", "stored"]


def test_a_million_events_at_once_are_refused_by_size(api, agreed):
    answer = api.post(PATH, b'{"events":[%s]}' % b",".join([b"{}"] * 1_000_000))

    assert answer.status_code == 413
    assert not Event.objects.exists()


def test_a_batch_needs_the_scope_and_says_nothing_more_to_others(api, agreed, event_body):
    api.token = credentials.create_credential(name="reader", scopes=["decisions"], actor="test")[0]

    for body in ({"events": [event_body()]}, {"events": []}):
        assert (api.post(PATH, body).status_code, api.post(PATH, body).json()["code"]) == (403, "forbidden")
    api.token = "assent_" + "0" * 40
    assert api.post(PATH, {"events": []}).status_code == 401


def test_a_batch_whose_decisions_cannot_be_logged_is_not_stored(agreed, send, own_spool):
    own_spool.parent.mkdir()
    own_spool.write_text("a file where the folder should be")

    answer = send({"type": "view"})

    assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"type": "purchase", "amount": "19.90", "currency": "EUR"}, None),
        ({"type": "purchase"}, None),
        ({"type": "purchase", "amount": "19.90"}, "body"),
        ({"type": "purchase", "amount": "1e3", "currency": "EUR"}, "amount"),
        ({"type": "purchase", "amount": 19.9, "currency": "EUR"}, "amount"),
        ({"type": "purchase", "amount": "-1", "currency": "EUR"}, "amount"),
        ({"type": "purchase", "amount": "1", "currency": "euro"}, "currency"),
        ({"type": "view", "amount": "1", "currency": "EUR"}, "body"),
        ({"type": "dwell", "value": 45}, None),
        ({"type": "dwell"}, "value"),
        ({"type": "dwell", "value": 14_401}, "value"),
        ({"type": "rating", "value": 6}, "value"),
        ({"type": "click"}, None),
        ({"type": "view", "version": 2}, "version"),
        ({"type": "view", "stream": STREAM}, "body"),
        ({"type": "view", "stream": "short", "sequence": 0}, "stream"),
        ({"type": "view", "stream": STREAM, "sequence": -1}, "sequence"),
    ],
    ids=str,
)
def test_members_of_a_kind(agreed, send, members, fault):
    [answer] = send(members).json()["events"]

    assert list(answer.get("error", {}).get("errors", {}))[:1] == ([fault] if fault else [])
    assert Event.objects.exists() == (fault is None)


def test_an_amount_is_stored_as_it_was_sent(agreed, send):
    send({"type": "purchase", "amount": "0", "currency": "CHF"})
    assert Event.objects.get().amount == 0
    Event.objects.all().delete()
    send({"type": "purchase", "amount": "19.9", "currency": "EUR"}, {"type": "dwell", "value": 45})

    purchase = Event.objects.get(kind="purchase")
    assert (str(purchase.amount), purchase.currency) == ("19.90", "EUR")
    assert (Event.objects.get(kind="dwell").value, Event.objects.get(kind="dwell").weight) == (45, 1.5)
    again = send({"type": "purchase", "amount": "19.91", "currency": "EUR"})
    assert _short(again.json()["events"]) == ["event_id_taken"]


def test_numbers_that_never_arrived_are_counted_once_their_stream_is_silent(agreed, send):
    numbers = [0, 1, 2, 5, 9, 5, 1]
    send(*[{"stream": STREAM, "sequence": number} for number in numbers[:4]])
    send(*[{"stream": STREAM, "sequence": number} for number in numbers[4:]])
    send({"stream": STREAM.replace("page", "more"), "sequence": 0})
    streams.close_silent()
    assert not SignalLoss.objects.exists()
    silent = timezone.now() - timedelta(days=3)
    EventStream.objects.update(updated_at=silent)

    for _ in range(2):
        streams.close_silent()

    [loss] = SignalLoss.objects.all()
    assert (loss.day, loss.sender, loss.numbered, loss.lost) == (silent.date(), "service:shop", 11, 5)
    assert not EventStream.objects.exists()


def test_nothing_personal_is_in_a_stream(agreed, send):
    send({"stream": "ada-lovelace-stream-1", "sequence": 0})

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(s)::text FROM personalization_eventstream s")
        assert "lovelace" not in cursor.fetchone()[0]
