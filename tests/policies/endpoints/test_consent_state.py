"""What is in force is answered in one statement, and as the ordinary view answers it."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from consent.models import DataSubject
from consent.register.jurisdictions import match
from policies.decisions import information
from policies.endpoints import consent_state
from tests.helpers.wsgi_calls import call

pytestmark = pytest.mark.django_db
PATH = consent_state.PATH


def test_both_entries_answer_alike(api, shop_token, client):
    api.save("customer-1", "give")
    api.save("customer-1", "refuse", "newsletter", channel="email")
    body = {"subject": {"id": "customer-1"}}

    bare = call(body, shop_token, path=PATH).json()
    ordinary = client.post(
        PATH, body, content_type="application/json", headers={"Authorization": f"Bearer {shop_token}"}
    ).json()

    assert bare == ordinary
    assert bare["purposes"]["recommendations"]["state"] == "given"
    assert bare["purposes"]["newsletter"]["parts"]["channel=email"]["state"] == "refused"


def test_after_a_no_it_says_until_when_nobody_asks_again(api, shop_token):
    saved = api.save("customer-1", "refuse")
    api.save("customer-1", "give", "newsletter")

    purposes = call({"subject": {"id": "customer-1"}}, shop_token, path=PATH).json()["purposes"]

    since = datetime.fromisoformat(saved.json()["records"][0]["recorded_at"]).replace(microsecond=0)
    law = match("DE").pack
    assert datetime.fromisoformat(purposes["recommendations"]["ask_again_at"]) == since + timedelta(days=law.reask_days)
    assert purposes["newsletter"]["ask_again_at"] is None


def test_a_remembered_signal_is_told_by_both_entries(api, shop_token, client):
    api.save("customer-1", "give")
    DataSubject.objects.update(gpc_since=timezone.now())
    body = {"subject": {"id": "customer-1"}}

    bare = call(body, shop_token, path=PATH).json()
    ordinary = client.post(
        PATH, body, content_type="application/json", headers={"Authorization": f"Bearer {shop_token}"}
    ).json()

    assert bare == ordinary
    assert bare["opted_out_by_signal"] is True


def test_it_takes_one_statement(api, shop_token, django_assert_num_queries):
    api.save("customer-1", "give")
    call({"subject": {"id": "customer-1"}}, shop_token, path=PATH)
    before = information.STATEMENT.executions

    with django_assert_num_queries(0):
        call({"subject": {"id": "customer-1"}}, shop_token, path=PATH)

    assert information.STATEMENT.executions - before == 1


def test_a_person_nobody_knows_has_never_been_asked(shop_token, register_in_force):
    answer = call({"subject": {"id": "nobody"}}, shop_token, path=PATH).json()

    assert (answer["known"], answer["subject_revision"]) == (False, 0)
    assert answer["purposes"]["recommendations"]["state"] == "never_asked"


@pytest.mark.parametrize("body", [{}, {"subject": {}}, {"subject": {"id": ""}}, {"subject": {"id": "a", "x": 1}}, []])
def test_what_makes_no_sense_is_refused(shop_token, body):
    assert call(body, shop_token, path=PATH).status == 400


def test_nobody_without_the_scope_is_told(token):
    assert call({"subject": {"id": "customer-1"}}, "nonsense", path=PATH).status == 401
