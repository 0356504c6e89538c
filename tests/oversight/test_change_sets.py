"""A purpose is widened by a change set: drafted, checked, seconded, in force, undone."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import AuditEvent
from common.actors import Officer
from consent.models import Notice, Party, Purpose, PurposeText
from consent.register.register import PURPOSES
from oversight import guard
from oversight.changes import applying, approval, drafting, preview, undoing
from oversight.changes.documents import Proposed
from oversight.models import Approval, ChangeSet, WorkItem
from oversight.problems import ChangeRefused, NothingChanged, NotNow, Outdated, SecondOfficerNeeded
from policies.models import Activation, ActiveBundle
from tests.helpers.registers import drafted, in_force, proposed_by, purpose_with, widened

WIDER = ["views", "purchases", "ratings", "postal_address"]
pytestmark = pytest.mark.django_db


def data_of(slug: str = "recommendations") -> list[str]:
    return list(Purpose.objects.get(slug=slug).data_categories)


def revision() -> str:
    return str(ActiveBundle.objects.get().bundle_id)


def test_an_approved_set_is_in_force_as_one_revision_and_one_event(anna: Officer, ben: Officer) -> None:
    before, activations = revision(), Activation.objects.count()
    change_set = proposed_by(anna, *widened("recommendations", data_categories=WIDER))
    assert revision() == before

    applied = approval.approve(change_set, actor=ben, seen=change_set.digest)

    assert data_of() == WIDER
    assert applied.state == "in_force"
    assert applied.bundle_revision == revision() == applied.expected_revision != before
    assert Activation.objects.count() == activations + 1
    event = AuditEvent.objects.get(action="changes.applied")
    assert event.details["approver"] == "officer:ben"
    fields = event.details["changes"][0]["fields"]
    assert fields["data_categories"] == [WIDER[:3], WIDER]
    assert fields.keys() == {"data_categories", "data_reasons"}
    assert PURPOSES.broken() is None


def test_a_draft_and_a_proposal_are_not_in_force(anna: Officer) -> None:
    proposed_by(anna, *widened("recommendations", data_categories=WIDER))

    assert data_of() == WIDER[:3]


def test_five_changes_make_one_bundle(anna: Officer, ben: Officer) -> None:
    activations = Activation.objects.count()
    slugs = Purpose.objects.values_list("slug", flat=True)

    in_force(anna, ben, *(purpose_with(slug, order=number) for number, slug in enumerate(slugs)))

    assert Activation.objects.count() <= activations + 1
    assert AuditEvent.objects.filter(action="changes.applied").count() == 1


def test_the_author_cannot_approve(anna: Officer) -> None:
    change_set = proposed_by(anna, *widened("recommendations", data_categories=WIDER))

    with pytest.raises(SecondOfficerNeeded):
        approval.approve(change_set, actor=anna, seen=change_set.digest)

    assert data_of() == WIDER[:3]


def test_the_database_refuses_an_approval_by_the_author(anna: Officer) -> None:
    change_set = proposed_by(anna, *widened("recommendations", data_categories=WIDER))

    with pytest.raises(DatabaseError, match="oversight_two_persons"), transaction.atomic():
        Approval.objects.create(
            subject="changes", object=str(change_set.pk), digest=change_set.digest, verdict="approved",
            actor=anna, account=anna.account, author_name="officer:another", author=anna.account,
        )  # fmt: skip


def test_an_approval_of_a_draft_that_changed_since_is_refused(anna: Officer, ben: Officer) -> None:
    change_set = proposed_by(anna, *widened("recommendations", data_categories=WIDER))
    seen = change_set.digest
    drafting.reopen(change_set, actor=anna)
    drafting.edit(change_set, widened("recommendations", data_categories=[*WIDER, "health"]), actor=anna)
    preview.check(change_set)
    drafting.propose(change_set, actor=anna, reason="more")

    with pytest.raises(Outdated, match="changed since you opened it"):
        approval.approve(change_set, actor=ben, seen=seen)

    change_set.refresh_from_db()
    assert change_set.state == "proposed"


def test_an_edit_voids_the_check(anna: Officer) -> None:
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))
    drafting.edit(change_set, [purpose_with("recommendations", order=7)], actor=anna)
    change_set.refresh_from_db()

    assert not change_set.is_checked
    with pytest.raises(NotNow, match="Check it again"):
        drafting.propose(change_set, actor=anna, reason="")


def test_two_officers_at_one_row(anna: Officer, ben: Officer) -> None:
    first = proposed_by(anna, *widened("recommendations", data_categories=WIDER))
    second = proposed_by(ben, purpose_with("recommendations", order=7))
    approval.approve(first, actor=ben, seen=first.digest)

    with pytest.raises(Outdated, match="purpose recommendations"):
        approval.approve(second, actor=anna, seen=second.digest)

    drafting.reopen(second, actor=ben)
    assert drafting.rebase(second, actor=ben) == []
    preview.check(second)
    drafting.propose(second, actor=ben, reason="")
    second.refresh_from_db()
    approval.approve(second, actor=anna, seen=second.digest)
    assert (data_of(), Purpose.objects.get(slug="recommendations").order) == (WIDER, 7)


def test_changes_elsewhere_do_not_block(anna: Officer, ben: Officer) -> None:
    first = proposed_by(anna, *widened("recommendations", data_categories=WIDER))
    second = proposed_by(ben, purpose_with("newsletter", order=7))

    approval.approve(first, actor=ben, seen=first.digest)
    approval.approve(second, actor=anna, seen=second.digest)

    assert Purpose.objects.get(slug="newsletter").order == 7


def test_undo_gives_the_old_revision(anna: Officer, ben: Officer) -> None:
    before = revision()
    change_set = in_force(anna, ben, *widened("recommendations", is_material=False, data_categories=WIDER))

    undo = preview.check(undoing.undo(change_set, actor=ben))
    applying.apply_protectively(undo, actor=ben, reason="a mistake")

    change_set.refresh_from_db()
    assert (revision(), change_set.state, data_of()) == (before, "undone", WIDER[:3])


def test_undo_of_a_narrowing_takes_two(anna: Officer, ben: Officer) -> None:
    change_set = in_force(anna, ben, purpose_with("recommendations", data_categories=["views"]))
    undo = preview.check(undoing.undo(change_set, actor=ben))

    with pytest.raises(ChangeRefused, match="second officer"):
        applying.apply_protectively(undo, actor=ben, reason="")

    drafting.propose(undo, actor=ben, reason="")
    approval.approve(undo, actor=anna, seen=undo.digest)
    assert data_of() == WIDER[:3]


def test_undo_is_refused_once_built_upon(anna: Officer, ben: Officer) -> None:
    change_set = in_force(anna, ben, *widened("recommendations", data_categories=WIDER))
    in_force(ben, anna, purpose_with("recommendations", order=7))

    with pytest.raises(Outdated, match="purpose recommendations"):
        undoing.undo(change_set, actor=anna)


def test_undo_of_a_notice_is_the_next_version(anna: Officer, ben: Officer) -> None:
    old = Notice.objects.get(purpose__slug="newsletter", locale="en").text
    document = {"purpose": "newsletter", "version": 2, "locale": "en", "text": "A new text.", "is_material": True}
    change_set = in_force(anna, ben, Proposed("notice", "newsletter/2/en", document))
    undo = undoing.undo(change_set, actor=anna)
    preview.check(undo)
    drafting.propose(undo, actor=anna, reason="")
    approval.approve(undo, actor=ben, seen=undo.digest)

    versions = Notice.objects.filter(purpose__slug="newsletter", locale="en").order_by("version")
    assert [notice.text for notice in versions] == [old, "A new text.", old]


def test_undo_of_a_new_purpose_is_refused_as_records_name_it(anna: Officer, ben: Officer) -> None:
    new = {**(purpose_with("usage_statistics").after or {}), "slug": "fresh", "actions": ["release"]}
    change_set = in_force(anna, ben, Proposed("purpose", "fresh", new))

    undo = preview.check(undoing.undo(change_set, actor=anna))

    assert "never be deleted" in undo.findings[0]["detail"]
    with pytest.raises(ChangeRefused, match="never be deleted"):
        drafting.propose(undo, actor=anna, reason="")


def test_a_protective_set_takes_one_officer_and_is_reviewed(anna: Officer, ben: Officer) -> None:
    change_set = drafted(anna, purpose_with("recommendations", is_active=False))

    applying.apply_protectively(change_set, actor=anna, reason="complaints")

    assert not Purpose.objects.get(slug="recommendations").is_active
    change_set.refresh_from_db()
    assert change_set.is_unreviewed
    with pytest.raises(SecondOfficerNeeded):
        approval.review(change_set, actor=anna)
    approval.review(change_set, actor=ben, reason="right")
    change_set.refresh_from_db()
    assert not change_set.is_unreviewed
    assert WorkItem.objects.get(kind="changes-review").state == "done"


def test_a_widening_is_never_protective(anna: Officer) -> None:
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER, is_active=False))

    with pytest.raises(ChangeRefused):
        applying.apply_protectively(change_set, actor=anna, reason="")

    assert Purpose.objects.get(slug="recommendations").is_active


def test_an_emergency_needs_its_reason_and_is_loud(anna: Officer) -> None:
    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))
    with pytest.raises(ChangeRefused, match="needs its reason"):
        applying.apply_in_emergency(change_set, actor=anna, reason=" ")

    applying.apply_in_emergency(change_set, actor=anna, reason="the site is down")

    assert data_of() == WIDER
    assert AuditEvent.objects.filter(action="changes.applied_in_emergency").exists()
    assert WorkItem.objects.get(kind="changes-review").state == "open"


def test_a_refusal_needs_a_reason_and_ends_the_proposal(anna: Officer, ben: Officer) -> None:
    change_set = proposed_by(anna, *widened("recommendations", data_categories=WIDER))
    with pytest.raises(ChangeRefused, match="Say why"):
        approval.refuse(change_set, actor=ben, seen=change_set.digest, reason="")

    approval.refuse(change_set, actor=ben, seen=change_set.digest, reason="why addresses?")

    change_set.refresh_from_db()
    assert change_set.state == "refused"
    with pytest.raises(NotNow):
        approval.approve(change_set, actor=ben, seen=change_set.digest)


def test_lint_keeps_an_unknown_recipient_from_being_proposed(anna: Officer) -> None:
    change_set = drafted(anna, purpose_with("recommendations", recipients=["data-broker"]))

    with pytest.raises(ChangeRefused, match="is not among the parties"):
        drafting.propose(change_set, actor=anna, reason="")


def test_lint_is_asked_again_under_the_lock(anna: Officer, ben: Officer) -> None:
    change_set = proposed_by(anna, *widened("recommendations", recipients=["parcel-carrier"]))
    with guard.writing("test"):
        Party.objects.filter(slug="parcel-carrier").update(slug="renamed")

    with pytest.raises(ChangeRefused, match="parcel-carrier"):
        approval.approve(change_set, actor=ben, seen=change_set.digest)

    assert Purpose.objects.get(slug="recommendations").recipients == []


def test_a_preview_leaves_nothing_behind(anna: Officer) -> None:
    before, activations = revision(), Activation.objects.count()

    change_set = drafted(anna, *widened("recommendations", data_categories=WIDER))

    assert (revision(), Activation.objects.count(), data_of()) == (before, activations, WIDER[:3])
    assert change_set.expected_revision != before


def test_what_the_registers_say_already_is_no_change(anna: Officer) -> None:
    with pytest.raises(NothingChanged):
        drafting.draft([purpose_with("recommendations")], title="Nothing", actor=anna)


def test_a_failure_while_publishing_leaves_nothing(
    anna: Officer, ben: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_set = proposed_by(anna, *widened("recommendations", data_categories=WIDER))

    def killed(**_more: str) -> str:
        raise ConnectionError

    monkeypatch.setattr("common.policy_data.changed", killed)
    with pytest.raises(ConnectionError), transaction.atomic():
        approval.approve(change_set, actor=ben, seen=change_set.digest)

    change_set.refresh_from_db()
    assert (change_set.state, data_of(), change_set.approvals.count()) == ("proposed", WIDER[:3], 0)


WRITES: dict[str, Callable[[], object]] = {
    "save": lambda: Purpose.objects.get(slug="newsletter").save(),
    "update": lambda: Purpose.objects.update(is_active=True),
    "bulk": lambda: Purpose.objects.bulk_create([Purpose(slug="x", name="x", benefit="x")]),
    "delete": lambda: PurposeText.objects.filter(locale="de")._raw_delete("default"),
    "delete by SQL": lambda: _sql("DELETE FROM consent_purpose WHERE id = 0"),
    "text": lambda: _sql("UPDATE consent_purposetext SET name = name"),
    "notice": lambda: _sql("INSERT INTO consent_notice SELECT * FROM consent_notice WHERE id = 0"),
    "truncate": lambda: _sql("TRUNCATE consent_purposetext"),
}


def _sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("way", WRITES)
def test_the_database_refuses_a_write_outside_a_set(guarded: None, way: str) -> None:
    with pytest.raises(DatabaseError, match="is a register"), transaction.atomic():
        WRITES[way]()


def test_the_writer_ends_with_the_set(anna: Officer, ben: Officer) -> None:
    in_force(anna, ben, *widened("recommendations", data_categories=WIDER))

    with pytest.raises(DatabaseError, match="is a register"), transaction.atomic():
        Purpose.objects.update(is_active=True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE oversight_change SET after = NULL",
        "DELETE FROM oversight_change",
        "UPDATE oversight_changeset SET digest = 'x'",
        "UPDATE oversight_changeset SET author_name = 'officer:other'",
        "DELETE FROM oversight_changeset",
        "UPDATE oversight_step SET note = 'x'",
        "UPDATE oversight_approval SET reason = 'x'",
    ],
)
def test_what_was_proposed_is_never_rewritten(anna: Officer, ben: Officer, statement: str) -> None:
    in_force(anna, ben, *widened("recommendations", data_categories=WIDER))

    with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
        _sql(statement)


def test_a_reason_is_kept_with_the_set(anna: Officer) -> None:
    change_set = proposed_by(anna, *widened("recommendations", data_categories=WIDER))

    assert ChangeSet.objects.get(pk=change_set.pk).reason == "we need it"
