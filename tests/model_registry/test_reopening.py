"""Assessments are re-opened by a change of what they are about, and by nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from common import policy_data
from consent.models import Party, Purpose
from model_registry import reopening, services
from model_registry.documents import keeping
from model_registry.gates import outcome
from model_registry.models import ModelVersion
from oversight.guard import writing
from oversight.models import WorkItem
from oversight.work import items, kinds
from tests.helpers import models

pytestmark = pytest.mark.django_db


@pytest.fixture
def live(register_in_force: None) -> ModelVersion:
    with transaction.atomic(), writing("test"):
        Party.objects.create(slug="mailer", role="recipient", name="Mailer", address="Street 1", country="DE")
        Purpose.objects.filter(slug="recommendations").update(recipients=["mailer"])
    model = services.register_model("house", name="House", description="")
    purposes = [Purpose.objects.get(slug="recommendations")]
    return models.go_live(services.register_version(model=model, purposes=purposes, actor="job:training"))


def change(what: Callable[[], Any]) -> None:
    with transaction.atomic(), writing("test"):
        what()
        policy_data.changed(reason="test", actor="officer:anna")


def dpia(version: ModelVersion) -> Any:
    return next(
        line.finding for line in outcome.of(ModelVersion.objects.get(pk=version.pk)).lines if line.slug == "dpia"
    )


def work() -> list[tuple[str, str]]:
    return list(WorkItem.objects.filter(kind=reopening.REOPENED.slug).values_list("object", "state"))


def purpose(**values: Any) -> Callable[[ModelVersion], Any]:
    return lambda _version: Purpose.objects.filter(slug="recommendations").update(**values)


def party(**values: Any) -> Callable[[ModelVersion], Any]:
    return lambda _version: Party.objects.filter(slug="mailer").update(**values)


REOPENS: dict[str, Callable[[ModelVersion], Any]] = {
    "another purpose": lambda version: version.purposes.add(Purpose.objects.get(slug="newsletter")),
    "a purpose less": lambda version: version.purposes.set(Purpose.objects.filter(slug="newsletter")),
    "data category": purpose(data_categories=["location", "views"]),
    "level of the purpose": purpose(max_level="segment"),
    "level of the version": lambda version: ModelVersion.objects.filter(pk=version.pk).update(max_level="segment"),
    "lawful basis": purpose(legal_basis="legitimate_interests"),
    "recipient": purpose(recipients=[]),
    "country of a recipient": party(country="US"),
    "transfer basis": party(transfer_basis="standard_clauses"),
}
KEEPS: dict[str, Callable[[ModelVersion], Any]] = {
    "name of the purpose": purpose(name="Suggestions"),
    "another purpose of the register": lambda _version: Purpose.objects.filter(slug="newsletter").update(recipients=[]),
    "address of a recipient": party(address="Street 2"),
    "country of another party": lambda _version: Party.objects.exclude(slug="mailer").update(country="FR"),
    "figures": lambda version: ModelVersion.objects.filter(pk=version.pk).update(metrics={"people": 7}),
}


@pytest.mark.parametrize("name", REOPENS)
def test_a_change_of_what_it_is_about_reopens_it(live: ModelVersion, name: str) -> None:
    assert (dpia(live).state, work()) == ("passed", [])

    change(lambda: REOPENS[name](live))

    assert dpia(live).state == "failed"
    assert "out of date" in dpia(live).why
    assert work() == [(f"{live.pk}/dpia", "open")]


@pytest.mark.parametrize("name", KEEPS)
def test_any_other_change_leaves_its_approval(live: ModelVersion, name: str) -> None:
    change(lambda: KEEPS[name](live))

    assert dpia(live).state == "passed"
    assert work() == []


def test_another_processing_region_reopens_it(live: ModelVersion, settings: Any) -> None:
    settings.PROCESSING_REGION = "us-east"
    change(lambda: None)

    assert dpia(live).state == "failed"
    assert work() == [(f"{live.pk}/dpia", "open")]


def test_made_again_it_waits_for_its_approval_and_the_work_is_done(live: ModelVersion) -> None:
    change(lambda: REOPENS["data category"](live))

    row = keeping.keep(live, "dpia", models.assessment(), actor="officer:anna")

    assert dpia(live).state == "pending"
    assert work() == [(f"{live.pk}/dpia", "done")]
    models.approved(row)
    assert dpia(live).state == "passed"


def test_a_change_that_is_taken_back_gives_the_approval_back(live: ModelVersion) -> None:
    change(lambda: party(country="US")(live))
    change(lambda: party(country="DE")(live))

    assert (dpia(live).state, work()) == ("passed", [(f"{live.pk}/dpia", "done")])


def test_work_that_somebody_closes_meanwhile_stops_no_change(
    live: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(lambda: party(country="US")(live))
    [still_open] = items.all_open(reopening.REOPENED.slug)
    items.finish(items.all_open(reopening.REOPENED.slug)[0], actor="officer:anna")
    monkeypatch.setattr(items, "all_open", lambda _kind: [still_open])

    change(lambda: party(country="DE")(live))

    assert dpia(live).state == "passed"


def test_what_is_retired_is_nobodys_work(live: ModelVersion) -> None:
    change(lambda: REOPENS["recipient"](live))
    models.take(live, "retired")

    assert work() == [(f"{live.pk}/dpia", "done")]


def test_the_work_says_what_to_do_and_leads_there(live: ModelVersion, admin_user: Any) -> None:
    change(lambda: REOPENS["recipient"](live))

    item, kind = next((item, kind) for item, kind in kinds.waiting_for(admin_user) if kind is reopening.REOPENED)

    assert "impact assessment of house@1" in kind.describe(item.object)
    assert kind.url(item.object) == f"/admin/models/{live.pk}/documents/dpia"
