"""What is in force is answered in one statement."""

from datetime import datetime, timedelta

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from consent.ledger import selectors
from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from consent.register.jurisdictions import match
from policies.decisions import information
from policies.endpoints import consent_state
from tests.helpers.wsgi_calls import call

pytestmark = pytest.mark.django_db
PATH = consent_state.PATH


def test_the_whole_and_its_parts_have_states_of_their_own(api, shop_token):
    api.save("customer-1", "give")
    api.save("customer-1", "give", "newsletter")
    refused = api.save("customer-1", "refuse", "newsletter", channel="email").json()["records"][0]

    purposes = call({"subject": {"id": "customer-1"}}, shop_token, path=PATH).json()["purposes"]

    assert purposes["recommendations"]["state"] == purposes["newsletter"]["state"] == "given"
    assert purposes["newsletter"]["parts"] == {"channel=email": {"state": "refused", "record": refused["id"]}}
    assert purposes["recommendations"]["parts"] == {}


def test_it_answers_as_the_ledger_reads_itself(api, shop_token):
    api.save("customer-1", "give")
    api.save("customer-1", "refuse", "newsletter", channel="email")

    answered = call({"subject": {"id": "customer-1"}}, shop_token, path=PATH).json()["purposes"]

    _, states = selectors.states(subject_ref("customer-1"), now=timezone.now())
    read = {state.purpose.slug: msgspec.to_builtins(_without_purpose(state)) for state in states}
    assert answered == {
        slug: {name: value for name, value in state.items() if name != "source"} for slug, state in read.items()
    }


def test_without_the_wsgi_entry_the_address_is_refused(shop_token):
    headers = {"Authorization": f"Bearer {shop_token}"}
    answer = Client().post(PATH, {"subject": {"id": "customer-1"}}, content_type="application/json", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (501, "not_implemented")
    assert "governance.wsgi" in answer.json()["detail"]
    assert call({"subject": {"id": "customer-1"}}, shop_token, path=PATH).status == 200


def _without_purpose(state):
    return selectors.ConsentState(**{n: getattr(state, n) for n in selectors.ConsentState.__struct_fields__})


def test_after_a_no_it_says_until_when_nobody_asks_again(api, shop_token):
    saved = api.save("customer-1", "refuse")
    api.save("customer-1", "give", "newsletter")

    purposes = call({"subject": {"id": "customer-1"}}, shop_token, path=PATH).json()["purposes"]

    since = datetime.fromisoformat(saved.json()["records"][0]["recorded_at"]).replace(microsecond=0)
    law = match("DE").pack
    assert datetime.fromisoformat(purposes["recommendations"]["ask_again_at"]) == since + timedelta(days=law.reask_days)
    assert purposes["newsletter"]["ask_again_at"] is None


def test_a_remembered_opt_out_signal_is_stated(api, shop_token):
    api.save("customer-1", "give")
    body = {"subject": {"id": "customer-1"}}
    before = call(body, shop_token, path=PATH).json()
    DataSubject.objects.update(gpc_since=timezone.now())

    after = call(body, shop_token, path=PATH).json()

    assert (before["opted_out_by_signal"], after["opted_out_by_signal"]) == (False, True)


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
