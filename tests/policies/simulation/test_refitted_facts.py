"""Facts of the log over other registers, and the decisions that a change set would flip."""

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.test import Client

from common.actors import Officer
from oversight.changes import preview
from policies.bundles import publishing
from policies.decision_log.drainer import drain
from policies.engines.replayer import Rules
from policies.models import ActiveBundle, Bundle, SimulationReport
from policies.simulation import service
from policies.simulation.refit import Refitting, refit
from tests.helpers.fact_sheets import BASE
from tests.helpers.policy_engines import REGISTER
from tests.helpers.registers import drafted, in_force, make_officer, purpose_with, widened, without_writer
from tests.helpers.wsgi_calls import question

NOW = 1_800_000_000.0
SAMPLE = copy.deepcopy(REGISTER)
for purpose in SAMPLE["purposes"].values():
    purpose.setdefault("required_notice", 1)
WHERE = BASE["subject"]
SAMPLE["residency"] |= {
    "instruments": {},
    "jurisdiction_of": {WHERE["region"]: WHERE["jurisdiction"]},
    "regions": {WHERE["region"]: []} | SAMPLE["residency"].get("regions", {}),
}
SAMPLE["models"] = {}


def rules_over(data):
    return Rules(data["revision"], publishing.read_policies(), json.dumps(data))


def over(**purpose):
    """The sample register with members of recommendations replaced; the yeses were given to it as it is."""
    data = copy.deepcopy(SAMPLE)
    data["purposes"]["recommendations"] |= purpose
    return Refitting.over(rules_over(data), agreed=rules_over(SAMPLE), now=NOW)


def refitted(facts, registers):
    return msgspec.json.decode(refit(msgspec.json.encode(facts), registers))


def sheet(**consent):
    facts = copy.deepcopy(BASE)
    facts["processing"]["expired_instruments"] = over().ended
    facts["consent"] |= consent
    facts["model"] = None
    return facts


def test_facts_over_the_same_registers_are_the_same_bytes():
    facts = msgspec.json.encode(sheet())

    assert refit(facts, over()) == facts


def test_a_new_category_is_agreed_to_by_nobody():
    data = SAMPLE["purposes"]["recommendations"]["data_categories"]
    facts = sheet()
    facts["processing"]["data_categories"] = []

    made = refitted(facts, over(data_categories=[*data, "location"]))["consent"]

    assert (made["state"], made["unagreed_categories"]) == ("given", ["location"])
    assert "location" in made["refused_categories"]


@pytest.mark.parametrize("widened", [{"actions": []}, {"data_categories": []}, {"channels": []}])
def test_a_narrower_purpose_leaves_consent_as_it_is(widened):
    assert refitted(sheet(), over(**widened))["consent"] == sheet()["consent"]


def test_a_new_action_has_to_be_asked_for():
    actions = SAMPLE["purposes"]["recommendations"]["actions"]
    facts = sheet()
    facts["action"] = "contact"

    made = refitted(facts, over(actions=[*actions, "contact"]))

    assert made["consent"]["state"] == "renewal_required"
    assert refitted(sheet(), over(actions=[*actions, "contact"]))["consent"]["state"] == "given"


def test_a_material_notice_asks_everybody_again():
    required = SAMPLE["purposes"]["recommendations"]["required_notice"]

    made = refitted(sheet(), over(required_notice=required + 1))

    assert (made["consent"]["state"], made["consent"]["notice_current"]) == ("renewal_required", False)
    refused = refitted(sheet(state="refused"), over(required_notice=required + 1))
    assert refused["consent"]["state"] == "refused"


def test_a_yes_covers_what_the_revision_that_answered_said():
    """An older, narrower revision: what was added between it and the one in force is agreed to by nobody."""
    older = copy.deepcopy(SAMPLE["purposes"])
    older["recommendations"]["data_categories"] = ["views"]
    facts = sheet()
    facts["processing"]["data_categories"] = []

    made = refitted(facts, over().agreed_in(older))["consent"]

    added = sorted(set(SAMPLE["purposes"]["recommendations"]["data_categories"]) - {"views"})
    assert (made["state"], made["unagreed_categories"]) == ("given", added)
    assert refitted(facts, over())["consent"] == facts["consent"], "logged under the revision in force"


def test_a_material_version_since_the_answer_asks_again():
    older = copy.deepcopy(SAMPLE["purposes"])
    older["recommendations"]["required_notice"] -= 1

    assert refitted(sheet(), over().agreed_in(older))["consent"]["state"] == "renewal_required"


def test_law_sensitivity_and_model_come_from_the_registers():
    data = copy.deepcopy(SAMPLE)
    region = BASE["subject"]["region"]
    data["residency"]["jurisdiction_of"][region] = "elsewhere"
    data["sensitive_categories"] = BASE["processing"]["data_categories"][:1]
    data["models"] = {}
    registers = Refitting.over(rules_over(data), agreed=rules_over(SAMPLE), now=NOW)
    facts = sheet()
    facts["model"] = {"id": "m", "version": 1, "status": "live", "max_level": "none", "purposes": [], "gates": "passed"}

    made = refitted(facts, registers)

    assert made["subject"]["jurisdiction"] == "elsewhere"
    assert made["processing"]["sensitive"] == BASE["processing"]["data_categories"][:1]
    assert made["model"]["status"] == "unknown"


def test_malformed_facts_are_left_as_they_are():
    facts = msgspec.json.encode({**BASE, "subject": 3})

    assert refit(facts, over()) == facts


@pytest.fixture
def anna(register_in_force: None) -> Officer:
    return make_officer("carla")


@pytest.mark.django_db
def test_a_preview_requests_one_replay_of_its_candidate(anna: Officer) -> None:
    in_force = ActiveBundle.objects.get().bundle_id
    with without_writer():
        change_set = drafted(anna, purpose_with("recommendations", data_categories=["views"]))

    report = SimulationReport.objects.get()
    assert (report.candidate, report.change_set_digest) == (change_set.expected_revision, change_set.digest)
    assert Bundle.objects.filter(pk=report.candidate).exists()
    assert ActiveBundle.objects.get().bundle_id == in_force

    with without_writer():
        preview.check(change_set)
    assert SimulationReport.objects.count() == 1


@pytest.mark.django_db
def test_a_change_outside_the_bundle_requests_no_replay(anna: Officer) -> None:
    with without_writer():
        drafted(anna, purpose_with("recommendations", order=9))

    assert not SimulationReport.objects.exists()


@pytest.mark.django_db
def test_the_page_shows_what_would_flip_once_replayed(
    officer: Client, api: Any, own_spool: Path, anna: Officer
) -> None:
    """Two permits of the log; the set takes the action away."""
    for person in ("customer-1", "customer-2"):
        api.save(person, "give")
        api.evaluate(question(person))
    drain(own_spool)
    with without_writer():
        change_set = drafted(anna, purpose_with("recommendations", actions=["collect"]))
    page = f"/admin/changes/{change_set.pk}/"
    assert "The replay waits for a worker." in officer.get(page).content.decode()

    service.run(SimulationReport.objects.get().pk)

    shown = officer.get(page).content.decode()
    assert "Permitted now, then not" in shown
    assert "Replayed: the decision log" in shown
    assert "customer-1" not in shown
    report = SimulationReport.objects.get()
    assert report.counts["permit_to_deny"] == 2


@pytest.mark.django_db
def test_a_widening_without_people_of_the_new_flips_nothing(api: Any, own_spool: Path, anna: Officer) -> None:
    api.save("customer-1", "give")
    api.evaluate(question())
    drain(own_spool)
    with without_writer():
        drafted(
            anna, purpose_with("recommendations", data_categories=["views", "purchases", "ratings", "postal_address"])
        )

    service.run(SimulationReport.objects.get().pk)

    counts = SimulationReport.objects.get().counts
    assert (counts["permit_to_deny"], counts["deny_to_permit"]) == (0, 0)


@pytest.mark.django_db
def test_a_yes_of_an_older_narrower_revision_is_not_stretched(api: Any, own_spool: Path, anna: Officer) -> None:
    """Logged before the purpose was widened: neither in force nor in the candidate does it cover what was added."""
    api.save("customer-1", "give")
    asked = {"type": "personalization", "id": "home-feed", "properties": {"data_categories": ["postal_address"]}}
    api.evaluate(question(resource=asked))
    drain(own_spool)
    wider = ["views", "purchases", "ratings", "postal_address"]
    with without_writer():
        in_force(anna, make_officer("ben"), *widened("recommendations", data_categories=wider, is_material=False))
        draft = drafted(anna, purpose_with("recommendations", data_categories=["views", "purchases", "ratings"]))
    wanted = SimulationReport.objects.get(change_set_digest=draft.digest)

    service.run(wanted.pk)

    report = SimulationReport.objects.get(pk=wanted.pk)
    assert report.counts["permit_to_deny"] == 0, "nobody has agreed to it, so nothing is lost"
    assert report.document is not None
    assert report.document["in_force"]["compared"] == 1
