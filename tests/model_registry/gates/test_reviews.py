"""Who has to approve what: two officers where no officer is the author, and one of each role that a demand names."""

from collections.abc import Callable
from contextlib import nullcontext

import pytest

from audit import trail
from common import actors
from consent.models import Purpose
from model_registry import services
from model_registry.descriptors import GATE_DEMAND
from model_registry.documents import keeping
from model_registry.gates import outcome, recording, reviewing
from model_registry.models import Document, GateDemand, ModelVersion
from oversight import guard
from oversight.changes.documents import Proposed
from oversight.officers import single
from oversight.problems import ChangeRefused, SecondOfficerNeeded
from tests.helpers import models
from tests.helpers.registers import make_officer, proposed_by

pytestmark = pytest.mark.django_db
Review = Callable[[str, str, actors.Officer], None]


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    model = services.register_model("house", name="House", description="")
    purposes = [Purpose.objects.get(slug="recommendations")]
    return services.register_version(model=model, purposes=purposes, actor="job:training")


def kept(version: ModelVersion, actor: str) -> Document:
    return keeping.keep(version, "dpia", models.assessment(), actor=actor)


def given(row: Document, who: actors.Officer, role: str = "privacy", verdict: str = "approved") -> None:
    recording.review(row, verdict=verdict, role=role, actor=who, comment="Because.")


def line(version: ModelVersion, gate: str) -> outcome.Line:
    [found] = [line for line in outcome.of(version).lines if line.slug == gate]
    return found


def state(version: ModelVersion, gate: str = "dpia") -> str:
    return line(version, gate).finding.state


@pytest.mark.parametrize("sender", ["service:shop", "operator"])
def test_a_document_without_an_officer_as_author_takes_two_approvals(version: ModelVersion, sender: str) -> None:
    row, anna, ben = kept(version, sender), make_officer("anna"), make_officer("ben")

    given(row, anna)
    assert (state(version), "A second officer" in line(version, "dpia").finding.why) == ("pending", True)
    with pytest.raises(SecondOfficerNeeded, match="another has to, too"):
        given(row, anna, "legal")

    given(row, ben)
    assert state(version) == "passed"


def test_a_document_of_an_officer_takes_one_approval_of_another(version: ModelVersion) -> None:
    anna, ben = make_officer("anna"), make_officer("ben")
    row = kept(version, anna)

    with pytest.raises(SecondOfficerNeeded, match="You wrote this document"):
        given(row, anna)
    given(row, ben)

    assert state(version) == "passed"


def test_a_refusal_between_two_approvals_voids_the_first(version: ModelVersion) -> None:
    row, anna, ben = kept(version, "service:shop"), make_officer("anna"), make_officer("ben")

    given(row, anna)
    given(row, ben, verdict="refused")
    assert state(version) == "failed"

    given(row, anna)
    assert state(version) == "pending"
    given(row, ben)
    assert state(version) == "passed"


def test_an_account_that_the_first_may_stand_behind_is_no_second(version: ModelVersion) -> None:
    row, anna = kept(version, "service:shop"), make_officer("anna")
    other = make_officer("other")
    touched = {"account": other.account, "by": anna.account}
    trail.record("officer.password_set", "officer:other", actor=anna, details=touched)
    given(row, anna)

    with pytest.raises(SecondOfficerNeeded, match="do not count as two persons"):
        given(row, other)


def test_an_installation_with_one_officer_has_no_second(version: ModelVersion) -> None:
    single.switch(on=True)
    given(kept(version, "service:shop"), make_officer("anna"))

    assert state(version) == "passed"


def demand(**changes: object) -> None:
    GateDemand.objects.filter(slug="reviews").update(is_active=True, **changes)


def test_the_roles_that_have_not_approved_are_named(version: ModelVersion) -> None:
    demand(roles=["legal", "privacy"])
    row = kept(version, make_officer("anna"))
    assert line(version, "reviews").finding.why == "Reviews: waits for an approval by legal, privacy."

    given(row, make_officer("ben"), "privacy")
    assert line(version, "reviews").finding.why == "Reviews: waits for an approval by legal."
    given(row, make_officer("carla"), "legal")
    assert state(version, "reviews") == "passed"


def test_one_officer_does_not_review_for_two_roles(version: ModelVersion) -> None:
    demand(roles=["legal", "privacy"])
    row, ben = kept(version, make_officer("anna")), make_officer("ben")
    given(row, ben, "privacy")

    with pytest.raises(SecondOfficerNeeded, match="approved for the role privacy"):
        given(row, ben, "legal")


def test_one_officer_may_where_the_demand_says_so(version: ModelVersion) -> None:
    demand(roles=["legal", "privacy"], one_role_each=False)
    row, ben = kept(version, make_officer("anna")), make_officer("ben")
    given(row, ben, "privacy")
    given(row, ben, "legal")
    assert state(version, "reviews") == "passed"

    demand(one_role_each=True)
    assert "one approved for two of them" in line(version, "reviews").finding.why


def test_where_there_is_one_officer_the_gate_says_what_nobody_can_give_and_the_way_out(version: ModelVersion) -> None:
    demand(roles=["legal", "privacy"])
    anna = make_officer("anna")
    row = kept(version, anna)
    single.switch(on=True)
    said = "and this installation has one: nobody can give them. Switch “Each role by another officer” off"
    assert said in line(version, "reviews").finding.why
    for role in ("legal", "privacy"):
        given(row, anna, role)
    assert said in line(version, "reviews").finding.why

    demand(one_role_each=False)

    assert state(version, "reviews") == "passed"


def test_approvals_given_by_several_count_on_where_one_is_left(version: ModelVersion) -> None:
    demand(roles=["legal", "privacy"])
    row = kept(version, make_officer("anna"))
    given(row, make_officer("ben"), "privacy")
    given(row, make_officer("carla"), "legal")

    single.switch(on=True)

    assert state(version, "reviews") == "passed"


@pytest.mark.parametrize(
    ("change", "is_refused"),
    [({}, True), ({"one_role_each": False}, False), ({"roles": ["legal"]}, False), ({"is_active": False}, False)],
)
def test_one_officer_does_not_demand_a_role_each_by_another(
    register_in_force: None, change: dict[str, object], is_refused: bool
) -> None:
    single.switch(on=True)
    row = GateDemand.objects.get(slug="reviews")
    row.is_active, row.roles = True, ["legal", "privacy"]
    for name, value in change.items():
        setattr(row, name, value)

    with guard.writing("test"), pytest.raises(ChangeRefused, match="one officer") if is_refused else nullcontext():
        GATE_DEMAND.save(row, False)


def test_a_role_that_refused_one_document_has_not_approved(version: ModelVersion) -> None:
    demand(roles=["privacy"])
    row, ben = kept(version, make_officer("anna")), make_officer("ben")
    runbook = keeping.keep(version, "runbook", models.runbook(), actor="officer:anna")
    given(row, ben)
    given(runbook, ben, verdict="refused")

    assert line(version, "reviews").finding.why == "Reviews: refused by privacy."


def test_a_new_revision_has_to_be_approved_again(version: ModelVersion) -> None:
    demand(roles=["privacy"])
    anna = make_officer("anna")
    given(kept(version, anna), make_officer("ben"))

    keeping.keep(version, "dpia", models.assessment(review_due="2039-01-01"), actor=anna)

    assert state(version, "reviews") == "pending"


def test_who_sends_a_document_does_not_approve_it_alone_for_a_role(version: ModelVersion) -> None:
    demand(roles=["legal"])
    row = kept(version, "service:shop")

    given(row, make_officer("anna"), "legal")
    assert (state(version, "reviews"), "legal" in line(version, "reviews").finding.why) == ("pending", True)

    given(row, make_officer("ben"), "privacy")
    assert state(version, "reviews") == "passed"


def classed(version: ModelVersion, risk: str) -> Document:
    governance = models.card().governance.model_copy(update={"risk": risk})
    return keeping.keep(version, "card", models.card(governance=governance), actor=make_officer("anna"))


def is_asked(version: ModelVersion) -> bool:
    return "reviews" in [line.slug for line in outcome.of(version).lines]


@pytest.mark.parametrize(("risk", "asked"), [("minimal", False), ("high", True), ("", True)])
def test_roles_are_asked_for_by_the_risk_class_of_the_card(version: ModelVersion, risk: str, asked: bool) -> None:
    demand(roles=["legal"], risks=["high"])

    given(classed(version, risk), make_officer("ben"))

    assert is_asked(version) is asked


def test_a_class_that_no_second_officer_approved_spares_no_gate(version: ModelVersion) -> None:
    demand(roles=["legal"], risks=["high"])
    classed(version, "minimal")
    assert is_asked(version)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"roles": []}, "Name the roles"),
        ({"roles": ["king"]}, "'king' is not a valid choice"),
        ({"risks": ["none"]}, "'none' is not a valid choice"),
        ({"gate": "monitoring", "threshold": "-999999"}, "A number of days is not negative"),
        ({"gate": "quality", "threshold": "NaN"}, "number"),
    ],
)
def test_a_demand_that_names_what_there_is_not_is_refused(
    register_in_force: None, change: dict[str, list[str]], said: str
) -> None:
    row = {
        "slug": "four", "gate": "reviews", "purpose": None, "from_level": "none", "risks": [], "threshold": None,
        "roles": ["legal"], "one_role_each": True, "is_active": True, "suspends": True,
    }  # fmt: skip

    with pytest.raises(ChangeRefused, match=said):
        proposed_by(make_officer("anna"), Proposed("gate_demand", "four", {**row, **change}))


@pytest.mark.parametrize(
    ("reviewers", "found"),
    [([{1}, {2}], True), ([{1}, {1}], False), ([{1, 2}, {1}], True), ([{1, 2}, {1}, {2}], False), ([], True)],
)
def test_each_role_has_a_reviewer_of_its_own(reviewers: list[set[int | str]], found: bool) -> None:
    assert reviewing.has_one_each(reviewers) is found
