"""What ends a consent without the person: a notice that changed in substance, and time."""

import time

import pytest

from audit.models import AuditEvent
from consent.ledger import selectors
from consent.models import Notice, Purpose
from consent.pseudonyms import subject_ref
from consent.register import register
from policies.decisions import evaluate
from policies.models import ActiveBundle

pytestmark = pytest.mark.django_db


def _publish(*, is_material):
    return register.publish_notice(
        purpose=Purpose.objects.get(slug="recommendations"),
        text=f"A notice that is {'' if is_material else 'not '}material.",
        actor="officer:test",
        is_material=is_material,
    )


def _ask(api):
    _, document, _ = api.evaluate(
        {
            "subject": {"type": "data_subject", "id": "customer-1"},
            "action": {"name": "personalize", "properties": {"purpose": "recommendations"}},
            "resource": {"type": "personalization", "id": "home", "properties": {"data_categories": ["views"]}},
            "context": {"processing_region": "eu-central"},
        }
    )
    return document


def _decision(api):
    document = _ask(api)
    return document["decision"], [reason["code"] for reason in document["context"]["reasons"]]


def _state(api):
    answer = api.post("/api/v1/consents/state", {"subject": {"id": "customer-1"}}).json()
    return answer["purposes"]["recommendations"]["state"]


def test_a_material_notice_asks_everybody_again_at_the_next_decision(api):
    api.save("customer-1", "give")
    assert _decision(api) == (True, [])

    notice = _publish(is_material=True)

    assert _decision(api) == (False, ["renewal_required"])
    assert _state(api) == "renewal_required"
    assert api.save("customer-1", "give").json()["records"][0]["notice_version"] == notice.version == 2
    assert _decision(api) == (True, [])


def test_a_cosmetic_notice_asks_nobody(api):
    api.save("customer-1", "give")

    _publish(is_material=False)

    assert _decision(api) == (True, [])
    assert _state(api) == "given"


def test_a_cosmetic_notice_does_not_hide_the_material_one_before_it(api):
    api.save("customer-1", "give")
    _publish(is_material=True)
    _publish(is_material=False)

    assert _decision(api) == (False, ["renewal_required"])

    api.save("customer-1", "give", notice_version=2)
    assert _decision(api) == (True, [])


def test_agreeing_to_an_old_notice_is_not_enough(api):
    _publish(is_material=True)

    api.save("customer-1", "give", notice_version=1)

    assert _decision(api) == (False, ["renewal_required"])


@pytest.mark.parametrize("version", [2, 99])
def test_nobody_agrees_to_a_notice_that_does_not_exist(api, version):
    answer = api.save("customer-1", "give", notice_version=version)

    assert (answer.status_code, answer.json()["code"]) == (400, "notice_unknown")


@pytest.mark.parametrize("choice", ["refuse", "withdraw"])
def test_a_new_notice_does_not_turn_a_no_into_a_question(api, choice):
    api.save("customer-1", "give")
    api.save("customer-1", choice)

    _publish(is_material=True)

    assert _decision(api) == (False, ["consent_withdrawn"])
    assert _state(api) == "withdrawn"


def test_publishing_is_audited_and_in_force_with_its_bundle(register_in_force):
    before = ActiveBundle.objects.get().bundle_id

    notice = _publish(is_material=True)

    event = AuditEvent.objects.filter(action="notice.published").first()
    assert (event.actor, event.details["version"]) == ("officer:test", 2)
    assert event.details["sha256"] == notice.text_sha256
    assert ActiveBundle.objects.get().bundle_id != before


def test_versions_of_a_notice_count_up_without_gaps(register_in_force):
    for is_material in (True, False, True):
        _publish(is_material=is_material)

    versions = Notice.objects.filter(purpose__slug="recommendations").values_list("version", flat=True)
    assert sorted(versions) == [1, 2, 3, 4]


@pytest.fixture
def at(monkeypatch):
    """Ask as if so many days had passed."""
    real = time.time

    def later(days, seconds=0):
        monkeypatch.setattr(evaluate.time, "time", lambda: real() + days * 86_400 + seconds)

    return later


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, (True, [])), (729, (True, [])), (730, (False, ["consent_expired"])), (5000, (False, ["consent_expired"]))],
)
def test_a_consent_runs_out_when_its_time_is_over(api, at, days, expected):
    api.save("customer-1", "give")

    at(days, seconds=60)

    assert _decision(api) == expected


def test_a_consent_given_again_lasts_from_then_on(api, at, choose, clock):
    choose("customer-1", "give")
    clock.pass_by(days=700)
    choose("customer-1", "give")

    at(731)

    assert _decision(api) == (True, [])


def test_a_decision_says_until_when_it_holds(api):
    expires = api.save("customer-1", "give").json()["records"][0]["expires_at"]

    document = _ask(api)

    assert document["context"]["valid_until"] == expires.replace("+00:00", "Z")


def _state_of(clock):
    _, states = selectors.states(subject_ref("customer-1"), now=clock.now)
    return {state.purpose.slug: state.state for state in states}["recommendations"]


def test_the_state_of_a_consent_that_ran_out_is_expired_and_not_gone(choose, clock):
    choose("customer-1", "give")

    clock.pass_by(days=731)

    assert _state_of(clock) == "expired"
    assert choose("customer-1", "withdraw").records[0]["state"] == "withdrawn"  # so that its data goes


def test_a_no_does_not_run_out(api, at, choose, clock):
    choose("customer-1", "refuse")

    clock.pass_by(days=5000)
    at(5000)

    assert _state_of(clock) == "refused"
    assert _decision(api) == (False, ["consent_refused"])
