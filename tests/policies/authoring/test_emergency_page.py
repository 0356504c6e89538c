"""A policy is activated alone on its page: with the right and a reason, loudly, and reviewed by another officer."""

import pytest
from django.contrib.admin.utils import quote
from django.test import Client

from audit.models import AuditEvent
from oversight.work import kinds
from policies.bundles import publishing
from policies.models import Policy, PolicyActivation
from tests.helpers import rollouts
from tests.helpers.officers import signed_in, with_role

pytestmark = pytest.mark.django_db
WHY = "people are harmed"
ALONE = "Activated by one officer in an emergency"


@pytest.fixture
def policy(register_in_force: None) -> Policy:
    return rollouts.publish(author="officer:carla")


def page(policy: Policy) -> str:
    return f"/admin/policies/policy/{quote(policy.digest)}"


def text(browser: Client, policy: Policy) -> str:
    return " ".join(browser.get(f"{page(policy)}/change/").content.decode().split())


def activate(browser: Client, policy: Policy, because: str = WHY) -> str:
    answer = browser.post(f"{page(policy)}/activate-in-emergency/", {"because": because}, follow=True)
    return answer.content.decode()


def in_force() -> PolicyActivation:
    found = publishing.last_activation()
    assert found is not None
    return found


def test_an_officer_acts_alone_and_another_confirms_it(policy: Policy) -> None:
    anna, ben = (signed_in(with_role(name, "privacy-officer")) for name in ("anna", "ben"))
    asked = anna.get(f"{page(policy)}/activate-in-emergency/").content.decode()
    assert "nobody approves it" in asked
    assert in_force().policy_id != policy.digest  # a look changes nothing

    activate(anna, policy)

    assert (in_force().policy_id, in_force().kind, in_force().reason) == (policy.digest, "emergency", WHY)
    assert AuditEvent.objects.get(action="bundle.activated_in_emergency").details["because"] == WHY
    shown = text(ben, policy)
    assert ALONE in shown
    assert WHY in shown
    assert "policy was activated in an emergency" in ben.get("/admin/").content.decode()
    # Not by who did it.
    anna.post(f"{page(policy)}/confirm/", {"because": ""})
    assert ALONE in text(ben, policy)

    ben.post(f"{page(policy)}/confirm/", {"because": "it was right"})

    assert ALONE not in text(ben, policy)
    assert in_force().policy_id == policy.digest


def test_another_officer_takes_it_back_and_it_is_still_reviewed(policy: Policy) -> None:
    before = in_force().policy_id
    anna, ben = with_role("anna", "privacy-officer"), with_role("ben", "privacy-officer")
    activate(signed_in(anna), policy)

    signed_in(ben).post(f"{page(policy)}/roll-back/", follow=True)

    assert in_force().policy_id == before
    assert [item.kind for item, _kind in kinds.waiting_for(ben)] == ["policy-review"]
    shown = text(signed_in(ben), policy)
    assert ALONE in shown
    assert "it was taken back" in shown


def test_without_a_reason_nothing_is_activated(policy: Policy) -> None:
    before = in_force()

    activate(signed_in(with_role("anna", "privacy-officer")), policy, because="  ")

    assert in_force() == before
    assert not AuditEvent.objects.filter(action="bundle.activated_in_emergency").exists()


@pytest.mark.parametrize("role", ["approver", "policy-author", "auditor"])
def test_without_the_right_there_is_no_button_and_no_page(policy: Policy, role: str) -> None:
    browser, before = signed_in(with_role("ada", role)), in_force()

    answer = browser.post(f"{page(policy)}/activate-in-emergency/", {"because": WHY})

    assert answer.status_code == 403
    assert in_force() == before
    assert "activate-in-emergency" not in text(browser, policy)


def test_the_policy_in_force_cannot_be_activated_alone_once_more(policy: Policy) -> None:
    browser = signed_in(with_role("anna", "privacy-officer"))
    activate(browser, policy)
    first = in_force()

    assert browser.post(f"{page(policy)}/activate-in-emergency/", {"because": WHY}).status_code == 403
    assert in_force() == first
