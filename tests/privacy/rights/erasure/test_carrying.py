"""An erasure ends done only where every store is empty, names what is kept, and leaves the evidence whole."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from audit import trail
from consent.ledger import sealed_people, selectors, verification
from consent.models import ConsentRecord, DataSubject, SavedRequest, SubjectLink
from governance.evidence import checks
from personalization.models import Event
from privacy.erasures import ledger
from privacy.models import Disposal
from privacy.retention import disposal
from privacy.retention.own_records import record_periods
from privacy.rights.answers import packages
from privacy.rights.models import AnswerPackage
from privacy.rights.requests import fulfilling
from privacy.rights.requests.states import State
from privacy.rights.stores import seam
from privacy.rights.stores.seam import Fate
from privacy.rights.stores.tables import count_all, verify_all
from tests.privacy.rights.erasure.conftest import REF, answer_of, asked, decided, erased

pytestmark = pytest.mark.django_db


def test_every_store_but_the_proof_is_empty_afterwards(known: UUID) -> None:
    before = count_all(seam.registered(), known)
    assert all(before[name] for name in ("events", "saved_answers", "deletions", "dashboard_links", "answer_files"))

    request = erased()

    assert request.state == State.DONE
    assert verify_all(seam.emptied(), known) == {store.description.name: 0 for store in seam.emptied()}
    left = {name for name, rows in count_all(seam.registered(), known).items() if rows}
    kept = {store.description.name for store in seam.kept()}
    assert left <= kept | {"person"}
    for model in (Event, SubjectLink, SavedRequest, AnswerPackage):
        assert not model.objects.exists()
    assert not Disposal.objects.filter(subject_ref=known).exists()


def test_the_person_is_blank_and_what_was_in_force_has_ended(known: UUID) -> None:
    erased()

    row = DataSubject.objects.get(ref=known)
    assert (row.region, row.age_band, row.consents, row.gpc_since) == ("", "unknown", {}, None)
    assert row.is_erased
    last = ConsentRecord.objects.filter(subject=row, source="erasure")
    assert {(record.purpose_id, record.state) for record in last} == {
        ("recommendations", "withdrawn"), ("newsletter", "withdrawn"),
    }  # fmt: skip
    assert selectors.subject(known) is None


def test_the_answer_names_what_is_kept_with_ground_and_end(known: UUID) -> None:
    answer = answer_of(erased())

    kept = {part["store"]: part for part in answer["kept"]}
    assert {"consents", "trail", "requests"} <= kept.keys()
    assert "17(3)(b)" in kept["consents"]["ground"]
    until = timezone.now().date() + record_periods.period("consent_proof")
    assert date.fromisoformat(kept["consents"]["until"]) == until
    assert answer["erased"]["events"] == 3
    assert len(answer["manifest_sha256"]) == 64


def test_the_evidence_holds_after_an_erasure_and_a_new_start(known: UUID, choose: Any) -> None:
    erased()
    trail.anchor()
    assert (verification.verify_ledger().broken, sealed_people.broken()) == (None, None)

    choose("customer-1", "give", actor="subject")

    assert (verification.verify_ledger().broken, sealed_people.broken()) == (None, None)
    assert checks.check(actor="test", full=True)


def test_an_erasure_that_is_taken_back_by_hand_is_found(known: UUID, as_attacker: Any) -> None:
    erased()

    as_attacker("UPDATE consent_datasubject SET erased_revision = NULL, revision = revision")

    assert "is not as the audit trail says" in (sealed_people.broken() or "")


def test_a_store_that_keeps_something_sends_the_erasure_back(known: UUID, monkeypatch: Any) -> None:
    events = seam.find("events")
    monkeypatch.setattr(type(events), "erase", lambda *_args: seam.Removed())

    request = erased()

    assert request.state == State.IN_PROGRESS
    assert "events" in request.steps.last().reason
    assert request.steps.filter(move="rework").count() == 3
    fulfilling.sweep()  # waits for an officer by now
    assert request.steps.filter(move="rework").count() == 3
    monkeypatch.undo()
    monkeypatch.setattr(settings, "ASSENT_HOME", ledger.path().parent.parent)
    assert fulfilling.run(request.pk, actor="officer:anna").state == State.DONE


def test_someone_unknown_is_erased_and_remembered(register_in_force: None) -> None:
    ref = uuid4()

    assert erased(ref).state == State.DONE
    assert DataSubject.objects.get(ref=ref).is_erased
    assert verification.verify_ledger().ok


def test_a_second_erasure_ends_as_the_first(known: UUID) -> None:
    first, second = erased(), erased()

    assert (first.pk != second.pk, second.state) == (True, State.DONE)
    assert DataSubject.objects.get(ref=known).is_erased


def test_the_ledger_has_the_line_before_the_commit(known: UUID, monkeypatch: Any) -> None:
    seen = []
    append = ledger.append

    def noted(entries: Any) -> Any:
        added = append(entries)
        seen.append([line["kind"] for line in ledger.read()])
        return added

    monkeypatch.setattr(ledger, "append", noted)
    request = erased()

    assert seen == [["erasure"]]
    [line] = ledger.read()
    assert line["erasure"] == str(request.pk)
    assert str(REF) not in ledger.path().read_text()


def test_without_the_ledger_nothing_is_erased(known: UUID, monkeypatch: Any) -> None:
    monkeypatch.setattr(ledger, "append", lambda _entries: (_ for _ in ()).throw(OSError("disk full")))
    request = asked()
    with pytest.raises(OSError, match="disk full"):
        fulfilling.run(request.pk)

    assert not DataSubject.objects.get(ref=known).is_erased
    assert decided() == []
    monkeypatch.undo()


def test_every_kept_store_has_a_ground_and_no_other() -> None:
    for store in seam.registered():
        assert (store.description.after is not None) == (store.description.fate is Fate.KEPT)
    with pytest.raises(ValueError, match="ground"):
        seam.Description(
            name="x", title="x", members=(), origin="", kept="", is_provided=False, tables=(), fate=Fate.KEPT
        )


def test_access_covers_all_stores_in_a_statement_each(known: UUID, django_assert_max_num_queries: Any) -> None:
    request = asked(right=packages.Right.ACCESS)
    with django_assert_max_num_queries(22):
        made = packages.make(request, now=request.received_at)
    with django_assert_max_num_queries(2):
        assert packages.verify(request, made.counts) == []

    assert {"person", "consents", "terms", "looks", "trail", "decisions", "events"} <= made.counts.keys()
    assert all(made.counts[name] for name in ("consents", "terms", "looks", "trail", "events"))


def test_no_deletion_run_follows_the_end_of_what_was_erased(known: UUID) -> None:
    erased()

    assert disposal.sweep() == 0
    assert not Disposal.objects.filter(subject_ref=known).exists()
