"""What two officers can do wrong: each is refused on the page in a sentence, and nothing is half applied.

Kind: an input that was right when it was made. The register, its bundle and the change sets stay as they were.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from common.actors import Officer
from oversight import registers, rows
from oversight.changes import approval, drafting, preview, undoing
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet
from policies.models import Activation
from tests.helpers.officers import signed_in
from tests.helpers.registers import in_force, proposed_by, purpose_with, widened

pytestmark = pytest.mark.django_db
RULE = "eea-in-uk"


@dataclass
class Case:
    """A change set, the officer who presses a button of it, and the digest that the officer saw."""

    change_set: ChangeSet
    by: Officer
    button: str
    seen: str


def _rule(**members: Any) -> Proposed:
    before = rows.find_document(registers.find("residency_rule"), RULE) or {}
    return Proposed("residency_rule", RULE, {**before, **members})


def _one_object_twice(anna: Officer, ben: Officer) -> Case:
    first = proposed_by(anna, purpose_with("recommendations", order=3))
    second = proposed_by(ben, purpose_with("recommendations", order=7))
    approval.approve(first, actor=ben, seen=first.digest)
    return Case(second, anna, "approve", second.digest)


def _object_gone(anna: Officer, ben: Officer) -> Case:
    change = proposed_by(ben, _rule(data_categories=["views"]))
    in_force(anna, ben, Proposed("residency_rule", RULE, None))
    return Case(change, anna, "approve", change.digest)


def _edited_after_it_was_opened(anna: Officer, ben: Officer) -> Case:
    change = proposed_by(anna, purpose_with("recommendations", order=3))
    opened = change.digest
    drafting.reopen(change, actor=anna)
    drafting.edit(change, [purpose_with("recommendations", order=99)], actor=anna)
    preview.check(change)
    drafting.propose(change, actor=anna, reason="")
    return Case(change, ben, "approve", opened)


def _taken_back_after_it_was_opened(anna: Officer, ben: Officer) -> Case:
    change = proposed_by(anna, purpose_with("recommendations", order=3))
    opened = change.digest
    drafting.reopen(change, actor=anna)
    return Case(change, ben, "approve", opened)


def _undo_of_what_was_built_upon(anna: Officer, ben: Officer) -> Case:
    change = in_force(
        anna, ben, *widened("recommendations", data_categories=["views", "purchases", "ratings", "health"])
    )
    in_force(ben, anna, purpose_with("recommendations", order=7))
    return Case(change, anna, "undo", change.digest)


def _undo_that_was_built_upon_since(anna: Officer, ben: Officer) -> Case:
    change = in_force(anna, ben, purpose_with("recommendations", order=3))
    inverse = preview.check(undoing.undo(change, actor=anna))
    drafting.propose(inverse, actor=anna, reason="")
    in_force(ben, anna, purpose_with("recommendations", order=7))
    inverse.refresh_from_db()
    return Case(inverse, ben, "approve", inverse.digest)


def _approved_by_its_author(anna: Officer, _ben: Officer) -> Case:
    change = proposed_by(anna, purpose_with("recommendations", order=3))
    return Case(change, anna, "approve", change.digest)


REFUSED: dict[str, tuple[Callable[[Officer, Officer], Case], str]] = {
    "two officers at one object": (
        _one_object_twice,
        "Changed since this was drafted: purpose recommendations. Bring the draft up to date and propose it again.",
    ),
    "the object is gone": (_object_gone, f"Changed since this was drafted: residency_rule {RULE}."),
    "the draft changed since it was opened": (
        _edited_after_it_was_opened,
        "This change set has changed since you opened it. Look at it again.",
    ),
    "the draft was taken back since": (
        _taken_back_after_it_was_opened,
        "This change set is draft; it cannot be applied. Reload its page.",
    ),
    "an undo of what was built upon": (
        _undo_of_what_was_built_upon,
        "Changed again since: purpose recommendations. Undo the later change first.",
    ),
    "an undo that was built upon since": (_undo_that_was_built_upon_since, "Changed since this was drafted"),
    "an approval by the author": (_approved_by_its_author, "You are its author."),
}


def _everything() -> dict[str, Any]:
    """Return what all registers say, what is in force, and what every change set is."""
    documents = {register.name: rows.all_documents(register) for register in registers.all_registers()}
    sets = {
        each.pk: (each.state, each.digest, [change.after for change in each.changes.all()])
        for each in ChangeSet.objects.prefetch_related("changes")
    }
    return {"documents": documents, "sets": sets, "activations": Activation.objects.count()}


@pytest.mark.parametrize(("arrange", "sentence"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_in_a_sentence_and_nothing_is_applied(
    anna: Officer, ben: Officer, arrange: Callable[[Officer, Officer], Case], sentence: str
) -> None:
    case = arrange(anna, ben)
    before = _everything()
    browser: Client = signed_in(User.objects.get(username=case.by.partition(":")[2]))

    page = browser.post(
        f"/admin/changes/{case.change_set.pk}/{case.button}", {"seen": case.seen, "because": "as planned"}, follow=True
    )

    assert page.status_code == 200
    assert sentence in " ".join(page.content.decode().split())
    assert _everything() == before


def test_a_refused_approval_can_be_brought_up_to_date(anna: Officer, ben: Officer) -> None:
    case = _one_object_twice(anna, ben)
    author, second = (signed_in(User.objects.get(username=name)) for name in ("ben", "anna"))
    page = f"/admin/changes/{case.change_set.pk}"
    second.post(f"{page}/approve", {"seen": case.seen})

    for button in ("reopen", "rebase", "propose"):
        author.post(f"{page}/{button}", {"because": "again"})
    case.change_set.refresh_from_db()
    answer = second.post(f"{page}/approve", {"seen": case.change_set.digest}, follow=True)

    assert "In force." in answer.content.decode()
    document = rows.find_document(registers.find("purpose"), "recommendations")
    assert document is not None
    assert document["order"] == 7
