"""Links to the privacy dashboard: they open once, for a while, one person's page."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from audit.models import AuditEvent
from common.canonical import sha256
from consent import links
from consent.models import SubjectLink
from consent.pseudonyms import subject_ref
from policies.endpoints import credentials
from tests.helpers.polling import until_waiting_for_locks

REF = subject_ref("customer-1")


def _issue():
    return links.issue_link(subject_ref=REF, issued_by="service:shop")[0]


@pytest.mark.django_db
def test_a_service_gets_a_link_that_lasts_fifteen_minutes(api, clock):
    answer = api.post("/api/v1/dashboard-links", {"subject": {"id": "customer-1"}})

    assert answer.status_code == 201
    link = SubjectLink.objects.get()
    assert (link.subject_ref, link.expires_at) == (REF, clock.now + timedelta(minutes=15))
    assert "/privacy/open/" in answer.json()["url"]
    assert b"customer-1" not in answer.content


@pytest.mark.django_db
def test_a_link_needs_its_scope(api):
    api.token = credentials.create_credential(name="other", scopes=["consents", "decisions"], actor="test")[0]

    assert api.post("/api/v1/dashboard-links", {"subject": {"id": "customer-1"}}).status_code == 403
    assert not SubjectLink.objects.exists()


@pytest.mark.django_db
def test_a_link_opens_once():
    token = _issue()

    first, second = links.open_link(token), links.open_link(token)

    assert links.open_session(first).subject_ref == REF
    assert second is None


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "x", "A" * 43, "Ünïcode"])
def test_a_token_nobody_issued_opens_nothing(token):
    _issue()

    assert links.open_link(token) is None


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "opens"), [(14.9, True), (15, False), (60, False)])
def test_a_link_that_was_not_used_in_time_opens_nothing(clock, minutes, opens):
    token = _issue()

    clock.pass_by(minutes=minutes)

    assert (links.open_link(token) is not None) is opens


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "lasts"), [(29.9, True), (30, False), (600, False)])
def test_a_session_ends_after_half_an_hour_however_busy(clock, minutes, lasts):
    secret = links.open_link(_issue())

    for _ in range(3):
        clock.pass_by(minutes=minutes / 3)
        session = links.open_session(secret)

    assert (session is not None) is lasts


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "lasts"), [(14.9, True), (15, False)])
def test_a_session_that_nobody_uses_ends_after_a_quarter_of_an_hour(clock, minutes, lasts):
    secret = links.open_link(_issue())

    clock.pass_by(minutes=minutes)

    assert (links.open_session(secret) is not None) is lasts


@pytest.mark.django_db
def test_the_use_of_a_session_is_written_at_most_once_a_minute(clock, sql):
    secret = links.open_link(_issue())
    sql.clear()

    for _ in range(20):
        clock.pass_by(seconds=9)
        links.open_session(secret)

    assert sum(statement.startswith("UPDATE") for statement in sql) == 2


@pytest.mark.django_db
def test_a_session_from_before_its_use_was_noted_lasts_on(clock):
    secret = links.open_link(_issue())
    SubjectLink.objects.update(last_used_at=None)

    clock.pass_by(minutes=5)

    assert links.open_session(secret) is not None


@pytest.mark.django_db
def test_a_session_can_be_ended():
    secret, other = links.open_link(_issue()), links.open_link(_issue())

    links.end_session(secret)

    assert links.open_session(secret) is None
    assert links.open_session(other) is not None


@pytest.mark.django_db
def test_a_link_that_was_not_opened_is_no_session():
    token = _issue()

    assert links.open_session(token) is None
    assert links.open_session("") is None


@pytest.mark.django_db
def test_the_database_keeps_only_digests():
    token = _issue()
    secret = links.open_link(token)

    link = SubjectLink.objects.get()
    assert (bytes(link.token_hash), bytes(link.session_hash)) == (sha256(token.encode()), sha256(secret.encode()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT l::text FROM consent_subjectlink l")
        (text,) = cursor.fetchone()
    assert token not in text
    assert secret not in text


@pytest.mark.django_db
def test_issuing_and_opening_are_audited_without_the_token():
    token = _issue()
    links.open_link(token)
    links.open_link(token)

    events = list(AuditEvent.objects.order_by("position").values_list("action", "actor", "object"))
    assert events == [
        ("subject_link.issued", "service:shop", str(REF)),
        ("subject_link.opened", "subject", str(REF)),
    ]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_open_a_link_at_once_one_gets_in():
    token, opened = _issue(), []

    def visit():
        try:
            opened.append(links.open_link(token))
        finally:
            connection.close()

    visitors = [threading.Thread(target=visit) for _ in range(2)]
    with transaction.atomic():
        SubjectLink.objects.select_for_update().get()
        for visitor in visitors:
            visitor.start()
        until_waiting_for_locks(2)
    for visitor in visitors:
        visitor.join(timeout=300)

    assert len(opened) == 2
    assert [secret for secret in opened if secret is None] == [None]
    assert AuditEvent.objects.filter(action="subject_link.opened").count() == 1


@pytest.mark.django_db
def test_a_service_takes_back_the_access_of_one_person(api):
    unopened, other = _issue(), links.issue_link(subject_ref=subject_ref("customer-2"), issued_by="service:shop")[0]
    session = links.open_link(_issue())

    answer = api.post("/api/v1/dashboard-links/revoke", {"subject": {"id": "customer-1"}})

    assert (answer.status_code, answer.json()) == (200, {"links": 1, "sessions": 1})
    assert links.open_session(session) is None
    assert links.open_link(unopened) is None
    assert links.open_link(other) is not None
    event = AuditEvent.objects.filter(action="subject_access.revoked").get()
    assert (event.actor, event.object, event.details) == ("service:shop", str(REF), {"links": 1, "sessions": 1})


@pytest.mark.django_db
def test_taking_back_what_is_not_there_changes_nothing(api):
    links.open_link(_issue())
    api.post("/api/v1/dashboard-links/revoke", {"subject": {"id": "customer-1"}})

    again = api.post("/api/v1/dashboard-links/revoke", {"subject": {"id": "customer-1"}})
    nobody = api.post("/api/v1/dashboard-links/revoke", {"subject": {"id": "nobody"}})

    assert again.json() == nobody.json() == {"links": 0, "sessions": 0}


@pytest.mark.django_db
def test_taking_back_access_needs_the_scope_of_links(api):
    token = _issue()
    api.token = credentials.create_credential(name="other", scopes=["consents", "decisions"], actor="test")[0]

    assert api.post("/api/v1/dashboard-links/revoke", {"subject": {"id": "customer-1"}}).status_code == 403
    assert links.open_link(token) is not None


@pytest.mark.django_db
def test_a_link_issued_after_a_revocation_works():
    links.revoke_access(subject_ref=REF, actor="subject")

    assert links.open_link(_issue()) is not None


@pytest.mark.django_db(transaction=True)
def test_a_link_opened_while_access_is_revoked_leaves_no_session():
    token, opened = _issue(), []

    def visit():
        try:
            opened.append(links.open_link(token))
        finally:
            connection.close()

    def revoke():
        try:
            links.revoke_access(subject_ref=REF, actor="service:shop")
        finally:
            connection.close()

    threads = [threading.Thread(target=visit), threading.Thread(target=revoke)]
    with transaction.atomic():
        SubjectLink.objects.select_for_update().get()
        for waiting, thread in enumerate(threads, start=1):
            thread.start()
            until_waiting_for_locks(waiting)
    for thread in threads:
        thread.join(timeout=300)

    assert len(opened) == 1
    assert opened[0] is None or links.open_session(opened[0]) is None


@pytest.mark.django_db
def test_a_proof_starts_one_session():
    first, second = (links.start_session(subject_ref=REF, proof=b"p" * 32, issued_by="sign-in") for _ in range(2))

    assert links.open_session(first).subject_ref == REF
    assert second is None
    links.revoke_access(subject_ref=REF, actor="subject")
    assert links.open_session(first) is None
