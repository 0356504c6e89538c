"""Event intake at the border: what is stored, what is not and why, and what is refused."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import ProtectedError
from django.utils import timezone

from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from personalization.models import Event
from policies.endpoints import credentials
from tests.helpers import recent

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(api, event_body):
    return lambda person="customer-1", **changes: api.post("/api/v1/events", event_body(person, **changes))


def _codes(answer):
    return [reason["code"] for reason in answer.json()["reasons"]]


def test_an_event_of_a_person_who_agreed_is_stored(api, send):
    api.save("customer-1", "give")

    answer = send(type="rating", value=4)

    assert answer.status_code == 201
    assert (answer.json()["stored"], answer.json()["duplicate"], _codes(answer)) == (True, False, [])
    event = Event.objects.get()
    assert (event.subject_ref, event.purpose, event.kind, event.weight) == (
        subject_ref("customer-1"),
        "recommendations",
        "rating",
        4.0,
    )


@pytest.mark.parametrize(("kind", "weight"), [("view", 1.0), ("like", 2.0), ("purchase", 3.0)])
def test_a_kind_weighs_what_it_says_about_a_person(api, send, kind, weight):
    api.save("customer-1", "give")

    send(type=kind)

    assert Event.objects.get().weight == weight


def test_the_same_event_sent_again_changes_nothing(api, send):
    api.save("customer-1", "give")
    send(occurred_at=recent.TEXT)

    again = send(occurred_at=f"{recent.AT:%Y-%m-%d}T11:00:00.000+01:00")  # the same moment

    assert again.status_code == 200
    assert (again.json()["stored"], again.json()["duplicate"]) == (True, True)
    assert Event.objects.get().kind == "view"


@pytest.mark.parametrize(
    "changes",
    [
        {"person": "customer-2"},
        {"type": "purchase"},
        {"type": "rating", "value": 1},
        {"type": "rating", "value": 5},
        {"item": 1},
        {"occurred_at": f"{recent.AT:%Y-%m-%d}T10:00:01Z"},
        {"occurred_at": (recent.AT - timedelta(days=30)).isoformat()},
    ],
    ids=str,
)
def test_an_event_id_used_for_another_event_is_a_conflict(api, send, shop, changes):
    """The kind: an answer that says *stored* about something that was not stored.

    Among them two ratings that weigh the same, and an event of another person under the same id.
    """
    for person in ("customer-1", "customer-2"):
        api.save(person, "give")
    send(type="rating", value=2)
    if "item" in changes:
        changes = {"item": shop.items[1].id}

    answer = send(**{"type": "rating", "value": 2, **changes})

    assert (answer.status_code, answer.json()["code"]) == (409, "event_id_taken")
    assert "customer" not in answer.content.decode()
    event = Event.objects.get()
    assert (event.subject_ref, event.kind, event.value) == (subject_ref("customer-1"), "rating", 2)


def test_a_rating_below_the_middle_weighs_nothing(api, send):
    api.save("customer-1", "give")

    for value in range(1, 6):
        send(event_id=f"e-{value}", type="rating", value=value)

    assert list(Event.objects.order_by("value").values_list("value", "weight")) == [
        (1, 0.0), (2, 0.0), (3, 3.0), (4, 4.0), (5, 5.0),
    ]  # fmt: skip


@pytest.mark.parametrize("members", [{}, {"value": None}])
def test_a_rating_without_a_value_is_refused(api, send, members):
    api.save("customer-1", "give")

    answer = send(type="rating", **members)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["value"])
    assert not Event.objects.exists()


def test_an_item_never_takes_events_of_people_with_it(api, send):
    api.save("customer-1", "give")
    send()

    with pytest.raises(ProtectedError):
        Event.objects.get().item.delete()

    assert Event.objects.count() == 1


def test_another_senders_event_of_the_same_id_is_another_event(api, send, event_body):
    api.save("customer-1", "give")
    send()
    api.token = credentials.create_credential(name="other-shop", scopes=["events"], actor="test")[0]

    answer = api.post("/api/v1/events", event_body())

    assert answer.status_code == 201
    assert Event.objects.count() == 2


@pytest.mark.parametrize(
    ("choices", "purpose", "reason"),
    [
        ([], "recommendations", "subject_unknown"),
        (["refuse"], "recommendations", "consent_refused"),
        (["give", "withdraw"], "recommendations", "consent_withdrawn"),
        (["give"], "newsletter", "action_not_allowed"),
        (["give"], "never_registered", "purpose_unknown"),
    ],
)
def test_an_event_whose_use_is_not_allowed_is_not_stored_and_the_answer_says_why(api, send, choices, purpose, reason):
    for choice in choices:
        api.save("customer-1", choice)

    answer = send(purpose=purpose)

    assert answer.status_code == 200
    assert answer.json()["stored"] is False
    assert reason in _codes(answer)
    assert all(each["sentence"] for each in answer.json()["reasons"])
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"held": True}, "legal_hold"),
        ({"restricted": True}, "restricted"),
        ({"age_band": "minor"}, "minor"),
        ({"region": ""}, "region_unknown"),
    ],
)
def test_the_law_stands_above_consent(api, send, changes, reason):
    api.save("customer-1", "give")
    DataSubject.objects.update(**changes)

    answer = send()

    assert (answer.json()["stored"], _codes(answer)[0]) == (False, reason)
    assert not Event.objects.exists()


def test_a_region_that_no_residency_rule_allows_stores_nothing(api, send):
    api.save("customer-1", "give")

    answer = send(processing_region="us-east")

    assert (answer.json()["stored"], _codes(answer)) == (False, ["residency"])
    assert not Event.objects.exists()


def test_consent_given_again_allows_events_again(api, send):
    for choice in ("give", "withdraw", "give"):
        api.save("customer-1", choice)

    assert send().status_code == 201


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"event_id": ""}, "event_id"),
        ({"event_id": "x" * 65}, "event_id"),
        ({"event_id": 7}, "event_id"),
        ({"event_id": "a b"}, "event_id"),
        ({"subject": {"id": ""}}, "subject.id"),
        ({"subject": {"id": "x" * 257}}, "subject.id"),
        ({"subject": {"id": "customer-1", "name": "Ada"}}, "subject.?"),
        ({"subject": "customer-1"}, "subject"),
        ({"purpose": "Recommendations"}, "purpose"),
        ({"type": "stare"}, "type"),
        ({"type": None}, "type"),
        ({"item": "../etc"}, "item"),
        ({"value": 0}, "value"),
        ({"type": "rating", "value": 6}, "value"),
        ({"value": 2.5}, "value"),
        ({"value": "4"}, "value"),
        ({"value": True}, "value"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2026-01-05T10:00:00"}, "occurred_at"),
        ({"occurred_at": "2026-01-05"}, "occurred_at"),
        ({"occurred_at": 1767225600}, "occurred_at"),
        ({"occurred_at": None}, "occurred_at"),
        ({"signals": {"gpc": "yes"}}, "signals.gpc"),
        ({"signals": {"gpv": True}}, "signals.?"),
        ({"processing_region": "EU Central"}, "processing_region"),
        ({"consented": True}, "?"),
    ],
)
def test_a_body_that_is_not_an_event_is_refused_by_member(api, send, change, member):
    api.save("customer-1", "give")

    answer = send(**change)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert list(answer.json()["errors"]) == [member]
    assert not Event.objects.exists()


@pytest.mark.parametrize("member", ["event_id", "subject", "type", "item", "occurred_at"])
def test_every_member_without_a_default_is_needed(api, event_body, member):
    body = event_body()
    del body[member]

    answer = api.post("/api/v1/events", body)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [member])


def test_an_unknown_item_is_refused_whoever_it_is_about(api, send):
    api.save("customer-1", "give")

    for person in ("customer-1", "stranger"):
        answer = send(person, item="no-such-item")
        assert (answer.status_code, answer.json()["code"]) == (400, "item_unknown")
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("minutes", "status"), [(4, 201), (6, 400), (60 * 24 * 365, 400)], ids=["skew", "too far", "a year"]
)
def test_a_clock_may_be_ahead_by_minutes_only(api, send, minutes, status):
    api.save("customer-1", "give")

    answer = send(occurred_at=(timezone.now() + timedelta(minutes=minutes)).isoformat())

    assert answer.status_code == status
    assert status == 201 or answer.json()["code"] == "clock_ahead"


@pytest.mark.parametrize(("days", "status"), [(34.9, 201), (35.1, 400), (20_000, 400)], ids=["old", "too old", "1971"])
def test_an_event_may_be_five_weeks_old_at_most(api, send, days, status):
    api.save("customer-1", "give")

    answer = send(occurred_at=(timezone.now() - timedelta(days=days)).isoformat())

    assert answer.status_code == status
    assert status == 201 or answer.json()["code"] == "event_too_old"


def test_an_event_of_before_is_known_in_another_month(api, send):
    api.save("customer-1", "give")
    for days in (32, 1):
        assert send(event_id=f"e-{days}", occurred_at=(recent.AT - timedelta(days=days)).isoformat()).status_code == 201

    again = send(event_id="e-32", occurred_at=recent.TEXT)

    assert (again.status_code, again.json()["code"], Event.objects.count()) == (409, "event_id_taken", 2)


def test_an_event_id_is_one_event_whoever_it_is_about(api, send):
    api.save("customer-1", "give")
    api.save("customer-2", "give")
    assert send(occurred_at=recent.TEXT).status_code == 201

    again = send("customer-2", occurred_at=(recent.AT - timedelta(days=2)).isoformat())

    assert (again.status_code, again.json()["code"], Event.objects.count()) == (409, "event_id_taken", 1)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"])
def test_a_moment_no_calendar_of_ours_can_hold_is_refused(api, send, moment):
    api.save("customer-1", "give")

    answer = send(occurred_at=moment)

    assert answer.status_code == 400
    assert not Event.objects.exists()


def test_time_zones_are_the_same_moment(api, send):
    api.save("customer-1", "give")

    send(occurred_at=f"{recent.AT:%Y-%m-%d}T12:00:00+02:00")

    assert Event.objects.get().occurred_at == recent.AT


def test_nothing_personal_is_stored_or_answered(api, send, own_spool):
    api.save("ada-lovelace-4711", "give")

    answer = send("ada-lovelace-4711", event_id="order-of-ada-99")

    logged = b"".join(path.read_bytes() for path in own_spool.iterdir())
    assert b"collect" in logged
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM personalization_event e")
        stored = cursor.fetchone()[0]
    # Neither word is hexadecimal: a pseudonym or an identifier cannot hold it by chance.
    for place in (answer.content, logged, stored.encode()):
        assert b"lovelace" not in place
        assert b"of-ada" not in place


def test_a_refusal_does_not_repeat_what_was_sent(api, send):
    answer = send("ada-lovelace-4711", item="ada-s-own-item", occurred_at="ada-time", type="ada-type")

    assert answer.status_code == 400
    # Words of letters that no identifier of a problem, which is hexadecimal, can hold by chance.
    assert not any(word in answer.content.decode() for word in ("lovelace", "own-item", "ada-time", "ada-type"))


@pytest.mark.parametrize("how", ["body", "header"])
def test_a_browsers_opt_out_reaches_the_decision(api, event_body, own_spool, how):
    api.save("customer-1", "give")
    body = event_body(signals={"gpc": how == "body"})

    api.post("/api/v1/events", body, **({"Sec-GPC": "1"} if how == "header" else {}))

    entries = [json.loads(line) for path in own_spool.iterdir() for line in path.read_text().splitlines()]
    assert entries[-1]["facts"]["action"] == "collect"
    assert entries[-1]["facts"]["signals"]["gpc"] is True


def test_events_need_their_scope(api, event_body):
    api.token = credentials.create_credential(name="reader", scopes=["decisions"], actor="test")[0]

    assert api.post("/api/v1/events", event_body()).status_code == 403


def test_an_event_whose_decision_cannot_be_logged_is_not_stored(api, send, own_spool):
    api.save("customer-1", "give")
    own_spool.parent.mkdir()
    own_spool.write_text("a file where the folder should be")

    answer = send()

    assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")
    assert not Event.objects.exists()
