"""Officers who act at the same moment: one of them is refused, and nothing is half in force."""

import multiprocessing
import os
import signal

import pytest
from django.db import connections

from audit.models import AuditEvent
from common.actors import Officer
from consent.models import Purpose
from oversight.changes import applying, approval, checking, drafting, preview
from oversight.models import ChangeSet, WorkItem
from policies.models import Activation
from tests.helpers.at_once import at_once
from tests.helpers.kept_register import lay_register
from tests.helpers.registers import make_officer, proposed_by, purpose_with, widened

pytestmark = pytest.mark.django_db(transaction=True)
WIDER = ["views", "purchases", "ratings", "postal_address"]


def test_two_approvals_of_one_set_bring_it_into_force_once() -> None:
    lay_register()
    anna, ben, carl = map(make_officer, ("anna", "ben", "carl"))
    change_set = proposed_by(anna, *widened("recommendations", data_categories=WIDER))
    activations = Activation.objects.count()

    said = at_once(
        lambda: approval.approve(change_set, actor=ben, seen=change_set.digest),
        lambda: approval.approve(change_set, actor=carl, seen=change_set.digest),
    )

    assert said == ["change_set_state", "done"]
    assert Activation.objects.count() == activations + 1
    assert (change_set.approvals.count(), AuditEvent.objects.filter(action="changes.applied").count()) == (1, 1)


def test_two_sets_about_one_row_are_not_both_applied() -> None:
    lay_register()
    anna, ben = make_officer("anna"), make_officer("ben")
    first = proposed_by(anna, *widened("recommendations", data_categories=WIDER))
    second = proposed_by(ben, purpose_with("recommendations", order=7))

    said = at_once(
        lambda: approval.approve(first, actor=ben, seen=first.digest),
        lambda: approval.approve(second, actor=anna, seen=second.digest),
    )

    assert said == ["change_set_outdated", "done"]
    purpose = Purpose.objects.get(slug="recommendations")
    assert (purpose.data_categories == WIDER) != (purpose.order == 7)


def test_sets_about_two_rows_and_a_preview_end_in_one_bundle_with_all() -> None:
    lay_register()
    anna, ben = make_officer("anna"), make_officer("ben")
    first = proposed_by(anna, *widened("recommendations", data_categories=WIDER))
    second = proposed_by(ben, purpose_with("newsletter", recipients=[]))
    third = proposed_by(ben, purpose_with("usage_statistics", order=3))

    said = at_once(
        lambda: approval.approve(first, actor=ben, seen=first.digest),
        lambda: approval.approve(second, actor=anna, seen=second.digest),
        lambda: preview.check(third),
    )

    assert said == ["done"] * 3
    bundle = Activation.objects.latest("pk").bundle.data
    assert '"postal_address"' in bundle
    assert '"mail-house"' not in bundle


def test_an_approval_and_a_withdrawal_are_not_both_done() -> None:
    lay_register()
    anna, ben = make_officer("anna"), make_officer("ben")
    change_set = proposed_by(anna, *widened("recommendations", data_categories=WIDER))

    said = at_once(
        lambda: approval.approve(change_set, actor=ben, seen=change_set.digest),
        lambda: drafting.withdraw(change_set, actor=anna),
    )

    assert said == ["change_set_state", "done"]
    change_set.refresh_from_db()
    is_wider = Purpose.objects.get(slug="recommendations").data_categories == WIDER
    assert (change_set.state, is_wider) in {("in_force", True), ("withdrawn", False)}
    assert not WorkItem.objects.filter(state__in=WorkItem.OPEN_STATES).exists()


def test_an_approval_and_an_edit_never_bring_the_unseen_into_force() -> None:
    lay_register()
    anna, ben = make_officer("anna"), make_officer("ben")
    change_set = proposed_by(anna, *widened("recommendations", data_categories=WIDER))

    def take_back_and_edit() -> None:
        drafting.reopen(change_set, actor=anna)
        drafting.edit(change_set, [purpose_with("recommendations", order=99)], actor=anna)

    said = at_once(
        lambda: approval.approve(change_set, actor=ben, seen=change_set.digest),
        take_back_and_edit,
    )

    assert said == ["change_set_state", "done"]
    assert Purpose.objects.get(slug="recommendations").order != 99


@pytest.mark.parametrize("where", ["rows", "bundle", "event"])
def test_a_process_killed_before_the_commit_leaves_nothing(where: str) -> None:
    """A process of its own approves and is killed (SIGKILL) once its rows, its bundle or its event are written."""
    lay_register()
    anna, ben = make_officer("anna"), make_officer("ben")
    change_set = proposed_by(anna, *widened("recommendations", data_categories=WIDER))
    before = (Activation.objects.count(), AuditEvent.objects.count())

    killed = multiprocessing.get_context("fork").Process(target=_approve_and_die, args=(change_set.pk, ben, where))
    connections.close_all()
    killed.start()
    killed.join()

    assert killed.exitcode == -signal.SIGKILL
    assert (Activation.objects.count(), AuditEvent.objects.count()) == before
    assert Purpose.objects.get(slug="recommendations").data_categories != WIDER
    change_set.refresh_from_db()
    assert change_set.state == "proposed"
    approval.approve(change_set, actor=ben, seen=change_set.digest)
    assert Purpose.objects.get(slug="recommendations").data_categories == WIDER


_POINTS = {
    "rows": (checking, "new_findings"),  # after the write
    "bundle": (applying, "_finish"),  # after the bundle is in force
    "event": (applying, "_undo_original"),  # after the step and its event
}


def _approve_and_die(number: int, actor: Officer, where: str) -> None:
    module, name = _POINTS[where]
    setattr(module, name, lambda *_args, **_more: os.kill(os.getpid(), signal.SIGKILL))
    change_set = ChangeSet.objects.get(pk=number)
    approval.approve(change_set, actor=actor, seen=change_set.digest)
