"""Two people are two accounts: names change and are used again. One officer's button takes one step."""

import threading
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, connections, transaction

from audit import trail
from audit.models import AuditEvent
from common import actors
from common.http.problems import Conflict
from oversight.officers.accounts import officer
from oversight.problems import SecondOfficerNeeded
from oversight.work import kinds
from policies.authoring import lifecycle
from policies.bundles import publishing
from policies.bundles.subjects import ACTIVATE
from policies.models import Policy, PolicyActivation
from policies.rollout import service
from tests.helpers import rollouts
from tests.helpers.polling import until_waiting_for_locks


def _officer(name: str) -> Any:
    return get_user_model().objects.create_superuser(name)


def _acting(name: str) -> actors.Officer:
    return officer(name, right=ACTIVATE)


def _published_by(name: str) -> Policy:
    author = _acting(name)
    policy = rollouts.publish(author=author)
    return Policy.objects.get(pk=policy.pk)


def _step(number: int) -> Policy:
    """Bring one of several different policies into force."""
    modules = {**publishing.read_policies(), "extra.rego": f"package governance.extra{number}\n"}
    policy = Policy.objects.create(digest=publishing.policy_digest(modules, {}), modules=modules, author="system")
    publishing.bring_into_force(policy, kind=PolicyActivation.Kind.APPROVED, reason="test", actor="officer:berta")
    return policy


@pytest.mark.django_db
def test_an_author_renamed_is_still_the_author(register_in_force: None) -> None:
    anna = _officer("anna")
    policy = _published_by("anna")
    anna.username = "anna2"
    anna.save()

    with pytest.raises(SecondOfficerNeeded):
        lifecycle.activate_policy(policy, actor=_acting("anna2"), reason="mine")
    rollout = service.start(policy, actor=_acting("anna2"), reason="mine", emergency=True)
    for widen in (lambda: service.set_share(rollout.pk, 100, actor=_acting("anna2")),
                  lambda: service.promote(rollout.pk, actor=_acting("anna2"))):  # fmt: skip
        with pytest.raises(SecondOfficerNeeded):
            widen()


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["officer.password_set", "officer.rights_changed"])
def test_an_account_that_its_author_set_up_is_no_second_person(register_in_force: None, action: str) -> None:
    anna, ben = _officer("anna"), _officer("ben")
    policy = _published_by("anna")
    trail.record(action, f"account:{ben.pk}", actor="officer:anna", details={"account": ben.pk, "by": anna.pk})

    with pytest.raises(SecondOfficerNeeded, match="do not count as two persons"):
        lifecycle.activate_policy(policy, actor=_acting("ben"), reason="mine too")

    lifecycle.activate_policy(policy, actor=_acting("anna"), reason="people are harmed", emergency=True)
    with pytest.raises(SecondOfficerNeeded, match="do not count as two persons"):
        lifecycle.confirm(policy, actor=_acting("ben"))


@pytest.mark.django_db
def test_a_name_used_again_is_another_person(register_in_force: None) -> None:
    anna = _officer("anna")
    policy = _published_by("anna")
    anna.delete()
    _officer("anna")
    rollout = service.start(policy, actor=_acting("anna"), reason="reviewed", emergency=True)

    service.set_share(rollout.pk, 100, actor=_acting("anna"))
    bundle = service.promote(rollout.pk, actor=_acting("anna"))

    last = publishing.last_activation()
    assert last is not None
    assert (last.bundle_id, last.author, last.actor) == (bundle.revision, "officer:anna", "officer:anna")
    assert last.author_account != last.actor_account


@pytest.mark.django_db
def test_an_emergency_is_not_confirmed_under_a_new_name(register_in_force: None) -> None:
    anna = _officer("anna")
    policy = rollouts.publish(author="officer:carla")
    lifecycle.activate_policy(policy, actor=_acting("anna"), reason="people are harmed", emergency=True)
    anna.username = "anna2"
    anna.save()

    with pytest.raises(SecondOfficerNeeded):
        lifecycle.confirm(policy, actor=_acting("anna2"))


@pytest.mark.django_db
def test_of_two_emergencies_neither_officer_confirms_the_other(register_in_force: None) -> None:
    for name in ("anna", "ben", "dora"):
        _officer(name)
    policy = rollouts.publish(author="officer:carla")
    lifecycle.activate_policy(policy, actor=_acting("anna"), reason="people are harmed", emergency=True)
    lifecycle.roll_back(actor=_acting("dora"), reason="too early")
    lifecycle.activate_policy(policy, actor=_acting("ben"), reason="they still are", emergency=True)

    for name in ("anna", "ben"):
        with pytest.raises(SecondOfficerNeeded, match="You did this alone"):
            lifecycle.confirm(policy, actor=_acting(name))
    assert [item for item, _kind in kinds.waiting_for(_account("anna")) if item.kind == "policy-review"] == []
    lifecycle.confirm(policy, actor=_acting("dora"))

    lifecycle.roll_back(actor=_acting("dora"), reason="once more")
    lifecycle.activate_policy(policy, actor=_acting("ben"), reason="again", emergency=True)
    assert [item.kind for item, _kind in kinds.waiting_for(_account("anna"))] == ["policy-review"]
    lifecycle.confirm(policy, actor=_acting("anna"))


def _account(name: str) -> Any:
    return get_user_model().objects.get(username=name)


@pytest.mark.django_db
def test_the_database_refuses_one_account_under_two_names(register_in_force: None) -> None:
    policy, last = rollouts.publish(), publishing.last_activation()
    assert last is not None
    row = {"policy": policy, "bundle": last.bundle, "kind": "approved", "reason": ""}

    with pytest.raises(IntegrityError, match="policies_two_persons"), transaction.atomic():
        PolicyActivation.objects.create(
            **row, author="officer:anna", author_account=7, actor="officer:anna2", actor_account=7
        )
    PolicyActivation.objects.create(
        **row, author="officer:anna", author_account=7, actor="officer:anna", actor_account=8
    )


@pytest.mark.parametrize(
    ("actor", "account", "expected"),
    [
        (actors.Officer.of("anna", 1), 1, True),
        (actors.Officer.of("anna", 2), 1, False),
        (actors.Officer.of("ben", 1), 1, True),
        (actors.Officer.of("Anna", 2), None, True),
        (actors.Officer.of("ben", 2), None, False),
        ("officer:anna", 1, True),
    ],
)
def test_accounts_are_compared_and_names_only_without_them(actor: str, account: int | None, expected: bool) -> None:
    assert actors.is_same_person(actor, "officer:anna", account) is expected


@pytest.mark.django_db(transaction=True)
def test_two_roll_backs_at_once_go_back_once(register_in_force: None) -> None:
    _first, before, in_force = _step(1), _step(2), _step(3)
    ended: list[object] = []

    def press() -> None:
        try:
            ended.append(lifecycle.roll_back(actor="officer:anna", reason="wrong", instead_of=in_force).revision)
        except Conflict as conflict:
            ended.append(conflict.code)
        finally:
            connections.close_all()

    pressing = [threading.Thread(target=press) for _ in range(2)]
    with transaction.atomic():
        publishing.wait_for_publishers()
        for each in pressing:
            each.start()
        until_waiting_for_locks(2)
    for each in pressing:
        each.join(timeout=60)

    last = publishing.last_activation()
    assert last is not None
    assert last.policy_id == before.digest
    assert sorted(ended, key=str) == sorted([last.bundle_id, "conflict"], key=str)
    assert PolicyActivation.objects.filter(kind="rollback").count() == 1
    assert AuditEvent.objects.filter(action="policy.rolled_back").count() == 1
    previous = lifecycle.previous_policy()
    assert previous is not None
    assert previous.digest == _first.digest


@pytest.mark.django_db(transaction=True)
def test_an_activation_overtaken_while_it_was_checked_is_refused(
    register_in_force: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, check = rollouts.publish(), lifecycle.refuse_if_it_does_not_run

    def then_another_comes(candidate: Policy) -> None:
        check(candidate)
        _step(1)

    monkeypatch.setattr(lifecycle, "refuse_if_it_does_not_run", then_another_comes)

    with pytest.raises(Conflict):
        lifecycle.activate_policy(policy, actor="officer:berta", reason="urgent", emergency=True)

    assert not PolicyActivation.objects.filter(policy=policy).exists()
    assert not connection.in_atomic_block
