"""Officers who act at the same moment: one of them is refused, and nothing is half in force."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection

from audit.models import AuditEvent
from common.http.problems import Problem
from consent.models import Purpose
from oversight.changes import approval, preview
from policies.models import Activation
from tests.helpers.kept_register import lay_register
from tests.helpers.registers import make_officer, proposed_by, purpose_with, widened

pytestmark = pytest.mark.django_db(transaction=True)
WIDER = ["views", "purchases", "ratings", "postal_address"]


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run acts in threads with connections of their own; return "done" or the refusal's code for each, sorted."""
    start, said = Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        try:
            start.wait()
            act()
            said.append("done")
        except Problem as problem:
            said.append(problem.code)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)


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
