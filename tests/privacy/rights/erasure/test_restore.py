"""Backup, erase, restore, replay: who was erased since stays so, and who agreed anew before the backup does too."""

from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.management import call_command

from audit import trail
from audit.models import AuditEvent
from consent import links
from consent.models import ConsentRecord, DataSubject, SubjectLink
from governance.evidence import heads
from personalization.models import Event
from privacy.erasures import ledger, noting
from privacy.rights.clocks.laws import Right
from privacy.rights.erasure import replay
from privacy.rights.models import AnswerPackage, RightsRequest
from privacy.rights.requests import fulfilling
from privacy.rights.requests.states import State
from privacy.rights.stores import seam
from privacy.rights.stores.tables import verify_all
from tests.privacy.rights.erasure.conftest import PERSON, REF, asked, decided, erased

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folders(home: Any, monkeypatch: Any) -> None:
    for name, setting in (("spool", "SPOOL_DIR"), ("models", "MODEL_DIR")):
        monkeypatch.setattr(settings, setting, home / name)
        (home / name).mkdir()


def backed_up(home: Any) -> Any:
    trail.anchor()
    heads.write()
    call_command("backup", home / "backup", stdout=StringIO())
    return home / "backup"


def restored(file: Any) -> str:
    trail.anchor()
    noting.note()
    heads.write()
    out = StringIO()
    call_command("restore", file, stdout=out)
    return out.getvalue()


def is_whole() -> None:
    call_command("verify", quiet=True, full=True, stdout=StringIO())


def test_an_erasure_after_the_backup_is_repeated(known: UUID, home: Any) -> None:
    file = backed_up(home)
    request = erased()

    assert "1 people erased or redacted again" in restored(file)

    assert set(verify_all(seam.emptied(), REF).values()) == {0}
    assert decided()[0] == "subject_unknown"
    assert not Event.objects.exists()
    assert not AnswerPackage.objects.exists()
    again = AuditEvent.objects.get(action=replay.AGAIN)
    assert again.details["erasure"] == str(request.pk)
    assert again.details["removed"]["events"] == 3
    is_whole()
    # Once more changes nothing.
    call_command("replay_erasures", stdout=StringIO())
    assert AuditEvent.objects.filter(action=replay.AGAIN).count() == 1


def test_a_request_that_the_backup_has_open_ends_as_done(known: UUID, home: Any) -> None:
    request = asked()
    file = backed_up(home)
    fulfilling.run(request.pk)

    restored(file)

    assert RightsRequest.objects.get(pk=request.pk).state == State.ACCEPTED
    fulfilling.sweep()
    assert RightsRequest.objects.get(pk=request.pk).state == State.DONE
    assert ConsentRecord.objects.filter(source="erasure").count() == 2
    is_whole()


def test_who_agreed_anew_before_the_backup_is_not_erased_again(known: UUID, choose: Any, home: Any) -> None:
    erased()
    choose(PERSON, "give", actor="subject")
    file = backed_up(home)

    assert "0 people erased or redacted again" in restored(file)

    assert decided() == []


def test_a_line_whose_commit_failed_is_repeated(known: UUID, home: Any, monkeypatch: Any) -> None:
    append = ledger.append

    def append_and_die(entries: Any) -> None:
        append(entries)
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger, "append", append_and_die)
    request = asked()
    with pytest.raises(KeyboardInterrupt):
        fulfilling.run(request.pk)
    monkeypatch.setattr(ledger, "append", append)
    assert not DataSubject.objects.get(ref=known).is_erased

    call_command("replay_erasures", stdout=StringIO())

    assert DataSubject.objects.get(ref=known).is_erased
    fulfilling.sweep()
    assert RightsRequest.objects.get(pk=request.pk).state == State.DONE


def test_a_person_without_a_choice_is_found_by_what_names_them(register_in_force: None, home: Any) -> None:
    ref = uuid4()
    links.issue_link(subject_ref=ref, issued_by="service:shop")
    fulfilling.run(asked(Right.ACCESS, ref).pk)
    file = backed_up(home)
    erased(ref)

    assert "1 people erased or redacted again" in restored(file)

    assert not SubjectLink.objects.exists()
    assert DataSubject.objects.get(ref=ref).is_erased
