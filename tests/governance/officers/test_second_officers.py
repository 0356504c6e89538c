"""Everything that takes two officers takes them alike: one check, what was seen, one verdict of two at once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from audit import trail
from common.actors import Officer
from oversight.changes import approval
from oversight.models import Approval, WorkItem
from oversight.problems import Outdated, SecondOfficerNeeded
from policies.authoring import lifecycle
from policies.bundles.subjects import of_rollout
from policies.rollout import service
from privacy import tasks
from privacy.models import Disposal, RetentionSchedule
from privacy.retention import disposal, plans, restoring
from privacy.retention.pacing import Pace
from privacy.retention.subjects import of_undo
from tests.helpers import rollouts
from tests.helpers.at_once import at_once
from tests.helpers.kept_register import lay_register
from tests.helpers.registers import make_officer, proposed_by, widened

WIDER = ["views", "purchases", "ratings", "postal_address"]


@dataclass
class Waiting:
    """Something of Anna's that waits for a second officer: how one approves and refuses it, and what was seen."""

    seen: str
    approve: Callable[[Officer, str], object]
    refuse: Callable[[Officer, str], object]


def _change_set(anna: Officer) -> Waiting:
    found = proposed_by(anna, *widened("recommendations", data_categories=WIDER))
    return Waiting(
        found.digest,
        lambda actor, seen: approval.approve(found, actor=actor, seen=seen),
        lambda actor, seen: approval.refuse(found, actor=actor, seen=seen, reason="no"),
    )


def _rollout(anna: Officer) -> Waiting:
    policy = rollouts.publish(author=anna)
    rollouts.simulate(policy)
    found = service.start(policy, actor=anna, reason="try")
    return Waiting(
        of_rollout(found).digest,
        lambda actor, seen: service.set_share(found.pk, 500, actor=actor, seen=seen),
        lambda actor, seen: service.set_share(found.pk, 900, actor=actor, seen=seen),
    )


def _plan(anna: Officer) -> Waiting:
    found = plans.make(RetentionSchedule.objects.get(purpose__slug="recommendations"), actor=anna)
    return Waiting(
        found.digest,
        lambda actor, seen: plans.approve(found, actor=actor, seen=seen),
        lambda actor, seen: plans.refuse(found, actor=actor, seen=seen, reason="no"),
    )


def _undo(anna: Officer) -> Waiting:
    RetentionSchedule.objects.update(undo_days=7)
    plan = plans.make(RetentionSchedule.objects.get(purpose__slug="recommendations"), actor="job:retention")
    run = disposal.run(
        disposal.run_of(plans.approve_by_schedule(plan, actor="job:retention")).pk, pace=Pace(gentle=False)
    )
    Disposal.objects.filter(pk=run.pk).update(undo_until=plan.made_at + plans.VALID_FOR)
    restoring.propose(run.pk, actor=anna, reason="Wrong period")
    return Waiting(
        of_undo(run).digest,
        lambda actor, seen: restoring.approve(run.pk, actor=actor, seen=seen),
        lambda actor, seen: restoring.refuse(run.pk, actor=actor, seen=seen, reason="no"),
    )


KINDS = {"changes": _change_set, "rollout": _rollout, "plan": _plan, "undo": _undo}


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
    settings.ASSENT_HOME = tmp_path


def _asked(kind: str) -> int:
    return WorkItem.objects.filter(kind=f"{kind}-approval", state="open").count()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_only_an_independent_officer_with_the_right_decides(register_in_force: None, kind: str) -> None:
    anna, ben, carl, dora = map(make_officer, ("anna", "ben", "carl", "dora"))
    details = {"account": ben.account, "by": anna.account}
    trail.record("officer.password_set", f"account:{ben.account}", actor=anna, details=details)
    User.objects.filter(pk=carl.account).update(is_superuser=False)
    waiting = KINDS[kind](anna)
    assert _asked(kind) == 1

    for actor, why in ((anna, "its author"), (ben, "two persons"), (carl, "lacks the right")):
        with pytest.raises(SecondOfficerNeeded, match=why):
            waiting.approve(actor, waiting.seen)
    with pytest.raises(Outdated, match="has changed since you opened it"):
        waiting.approve(dora, "0" * 64)
    assert (_asked(kind), Approval.objects.filter(subject=kind).count()) == (1, 0)

    waiting.approve(dora, waiting.seen)

    given = Approval.objects.get(subject=kind)
    assert (_asked(kind), given.actor, given.account, given.author) == (0, dora, dora.account, anna.account)
    assert given.provenance


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
def test_of_two_officers_at_once_one_decides(kind: str) -> None:
    lay_register()
    anna, ben, carl = map(make_officer, ("anna", "ben", "carl"))
    waiting = KINDS[kind](anna)

    said = at_once(lambda: waiting.approve(ben, waiting.seen), lambda: waiting.refuse(carl, waiting.seen))

    assert (said.count("done"), len(said)) == (1, 2)
    assert Approval.objects.filter(subject=kind).count() == 1


@pytest.mark.django_db
def test_a_policy_is_approved_as_everything_else(register_in_force: None) -> None:
    anna, ben, dora = map(make_officer, ("anna", "ben", "dora"))
    details = {"account": ben.account, "by": anna.account}
    trail.record("officer.password_set", f"account:{ben.account}", actor=anna, details=details)
    policy = rollouts.publish(author=anna)
    rollouts.simulate(policy)
    for actor, why in ((anna, "its author"), (ben, "two persons")):
        with pytest.raises(SecondOfficerNeeded, match=why):
            lifecycle.activate_policy(policy, actor=actor, reason="good")

    lifecycle.activate_policy(policy, actor=dora, reason="good")

    given = Approval.objects.get(subject="policy")
    assert (given.object, given.digest, given.actor, given.author) == (policy.pk, policy.pk, dora, anna.account)
