"""A change of status at the border: it counts for the very next decision."""

import threading

import pytest
from django.db import connection, transaction

from consent.models import Purpose
from model_registry import services
from model_registry.models import Model, ModelVersion
from tests.helpers import models
from tests.helpers.polling import until_waiting_for_locks

_NAMES = ["basket", "other"]


@pytest.fixture
def versions(register_in_force):
    purposes = list(Purpose.objects.filter(slug="recommendations"))
    return [
        services.register_version(model=Model.objects.create(slug=slug, name=slug), purposes=purposes, actor="test")
        for slug in _NAMES
    ]


def _decide(api, model="basket@1"):
    _, document, _ = api.evaluate(
        {
            "subject": {"type": "data_subject", "id": "customer-1"},
            "action": {"name": "personalize", "properties": {"purpose": "recommendations"}},
            "resource": {
                "type": "personalization",
                "id": "home",
                "properties": {"data_categories": ["views"], "model": model},
            },
            "context": {"processing_region": "eu-central"},
        }
    )
    return document["decision"], [(r["code"], r.get("detail")) for r in document["context"]["reasons"]]


@pytest.mark.django_db
def test_every_status_is_in_force_at_the_next_decision(api, versions):
    api.save("customer-1", "give")
    answers = [_decide(api)]

    models.with_evidence(versions[0])
    for status in ("live", "suspended", "live", "retired"):
        models.take(versions[0], status)
        answers.append(_decide(api))

    assert answers == [
        (False, [("model_unknown", None), ("level_capped_by_model", None)]),
        (True, []),
        (False, [("model_not_live", "suspended")]),
        (True, []),
        (False, [("model_not_live", "retired"), ("gate_failed", None)]),
    ]
    assert _decide(api, "basket@2")[1][0] == ("model_unknown", None)


@pytest.mark.django_db(transaction=True)
def test_two_officers_at_once_are_both_in_the_bundle(api, versions):
    api.save("customer-1", "give")

    def approve():
        try:
            models.take(versions[1], "live")
        finally:
            connection.close()

    for version in versions:
        models.with_evidence(version)
    second = threading.Thread(target=approve)
    with transaction.atomic():
        models.take(versions[0], "live")
        second.start()
        until_waiting_for_locks()
    second.join(timeout=300)

    assert [_decide(api, f"{name}@1") for name in _NAMES] == [(True, []), (True, [])]


@pytest.mark.django_db(transaction=True)
def test_of_two_opposite_steps_at_once_the_second_sees_the_first(versions):
    outcomes = []

    def submit():
        try:
            services.change_status(version_id=versions[0].pk, status="in_review", actor="officer:2")
        except services.StatusNotPossible as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    second = threading.Thread(target=submit)
    with transaction.atomic():
        services.change_status(version_id=versions[0].pk, status="retired", actor="officer:1")
        second.start()
        until_waiting_for_locks()
    second.join(timeout=300)

    assert outcomes == ["status_not_possible"]
    assert ModelVersion.objects.get(pk=versions[0].pk).status == "retired"
