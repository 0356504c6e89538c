"""Runs of audits: asked for, taken up once, signed about one file, and from the command line."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEvent
from consent.models import DataSubject
from model_registry import services
from model_registry.models import Evidence, ModelVersion
from oversight.changes import applying, drafting
from oversight.changes.documents import Proposed
from oversight.problems import ChangeRefused
from personalization import tasks, training
from personalization.audits import gathering, running
from personalization.audits.gathering import NotAuditable
from personalization.models import AuditRun, Event, RegressionCase
from tests.personalization.audits.conftest import ref_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(version: ModelVersion) -> AuditRun:
    return running.run_now(version, author="officer:first", only=["bias"])


def test_the_result_is_evidence_about_the_file(version: ModelVersion, done: AuditRun) -> None:
    [evidence] = Evidence.objects.filter(version=version, kind="audit")

    assert (evidence.name, evidence.is_passed, evidence.made_by) == ("bias", True, "officer:first")
    assert evidence.artifact_sha256 == version.artifact_sha256 == done.artifact_sha256
    assert evidence.figures["run"] == str(done.pk)
    assert AuditEvent.objects.filter(action="model.evidence", object=str(version)).exists()


def test_no_figure_is_of_fewer_than_twenty_people(done: AuditRun) -> None:
    slices = done.results["bias"]["report"]["slices"]

    assert len(slices) > 10
    assert min(one["people"] for one in slices) >= 20


def test_the_document_is_signed(done: AuditRun) -> None:
    assert running.untrue(AuditRun.objects.get(pk=done.pk)) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda row: row.document["results"]["bias"]["figures"].update(worst_at_most=7), "not the one that was"),
        (lambda row: setattr(row, "signature", row.signature[:-8] + "AAAAAAAA"), "signature"),
        (lambda row: setattr(row, "signature", ""), "not a signed document"),
    ],
)
def test_a_changed_document_is_found(done: AuditRun, change: Callable[[AuditRun], Any], said: str) -> None:
    row = AuditRun.objects.get(pk=done.pk)
    change(row)
    row.save()

    assert said in running.untrue(AuditRun.objects.get(pk=done.pk))


def test_a_document_says_nothing_of_another_file(version: ModelVersion, done: AuditRun) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(artifact_sha256="5e" * 32)

    assert "another file" in running.untrue(AuditRun.objects.get(pk=done.pk))


def test_a_file_that_is_not_the_registered_one_is_not_audited(version: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(artifact_sha256="5e" * 32)
    version.refresh_from_db()

    with pytest.raises(NotAuditable):
        running.run_now(version, author="officer:first")

    assert AuditRun.objects.get().state == "failed"
    assert not Evidence.objects.filter(version=version, kind="audit").exists()


def test_a_file_that_is_exchanged_during_the_audit_gets_no_evidence(
    version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    gather = gathering.gather

    def exchanged(of: ModelVersion) -> Any:
        found = gather(of)
        ModelVersion.objects.filter(pk=of.pk).update(artifact_sha256="5e" * 32)
        return found

    monkeypatch.setattr(gathering, "gather", exchanged)

    with pytest.raises(NotAuditable):
        running.run_now(version, author="officer:first", only=["bias"])
    assert not Evidence.objects.filter(version=version, kind="audit").exists()


def test_a_model_of_an_engine_elsewhere_is_refused(register_in_force: None) -> None:
    model = services.register_model("other", name="Other", description="")
    foreign = services.register_version(model=model, purposes=[], actor="test")

    with pytest.raises(NotAuditable):
        running.request(foreign, author="officer:first")


def test_restricted_people_are_left_out(version: ModelVersion) -> None:
    DataSubject.objects.filter(ref__in=[ref_of(0), ref_of(1)]).update(held=True)
    DataSubject.objects.filter(ref=ref_of(2)).update(restricted=True)
    DataSubject.objects.filter(ref=ref_of(3)).update(limits={"recommendations": ["held"]})

    people = gathering.gather(version).people.data.people

    assert len(people) == 596
    assert not {ref_of(number).bytes for number in range(4)} & set(people)


def test_people_who_withdrew_are_in_no_audit(version: ModelVersion) -> None:
    Event.objects.filter(subject_ref=ref_of(5)).delete()

    assert ref_of(5).bytes not in gathering.gather(version).people.data.people


def test_a_request_is_taken_up_once_and_shows_progress(version: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    row = running.request(version, author="officer:first", only=["ageing", "bias"])
    assert (row.state, row.audits, running.to_take_up()) == ("waiting", ["bias", "ageing"], [row.pk])
    seen: list[tuple[str, int]] = []
    moved = running._moved

    def watched(*given: Any) -> None:
        moved(*given)
        seen.append((AuditRun.objects.get().step, AuditRun.objects.get().percent))

    monkeypatch.setattr(running, "_moved", watched)

    tasks.run_audits(str(row.pk))
    tasks.run_audits(str(row.pk))

    assert seen == [("reading", 0), ("bias", 33), ("ageing", 66)]
    assert AuditRun.objects.get().state == "done"
    assert Evidence.objects.filter(version=version, kind="audit").count() == 2


def test_asking_twice_is_asking_once(version: ModelVersion) -> None:
    first, second = (running.request(version, author="officer:first") for _ in range(2))

    assert first.pk == second.pk


def test_a_run_whose_worker_was_killed_is_taken_up_again(
    version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[str] = []
    monkeypatch.setattr(tasks.run_audits, "delay", queued.append)
    row = running.request(version, author="officer:first", only=["bias"])
    AuditRun.objects.filter(pk=row.pk).update(state="running", moved_at=timezone.now())
    assert running.to_take_up() == []

    AuditRun.objects.filter(pk=row.pk).update(moved_at=timezone.now() - running.STALLED_AFTER - timedelta(seconds=1))
    tasks.sweep_audits()

    assert queued == [str(row.pk)]
    running.run(row.pk)
    assert AuditRun.objects.get().state == "done"


def test_a_run_that_breaks_off_says_so(version: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    row = running.request(version, author="officer:first")
    monkeypatch.setattr(gathering, "gather", lambda _version: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        running.run(row.pk)

    row.refresh_from_db()
    assert (row.state, row.error) == ("failed", "The audit broke off. The log of the worker says why.")


@pytest.mark.parametrize(("when", "asked"), [("after_training", 1), ("before_review", 0), ("by_hand", 0)])
def test_a_training_asks_for_audits_by_setting(
    version: ModelVersion, monkeypatch: pytest.MonkeyPatch, when: str, asked: int
) -> None:
    monkeypatch.setattr(settings, "MODEL_AUDITS", when)
    monkeypatch.setattr(training, "train_recommender", lambda **_options: version)
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(days=1))  # the next training is due

    tasks.train_recommender()

    assert AuditRun.objects.count() == asked


@pytest.mark.parametrize(("when", "asked"), [("after_training", 0), ("before_review", 1), ("by_hand", 0)])
def test_a_submission_asks_for_audits_by_setting(
    version: ModelVersion, monkeypatch: pytest.MonkeyPatch, when: str, asked: int
) -> None:
    monkeypatch.setattr(settings, "MODEL_AUDITS", when)

    services.change_status(version_id=version.pk, status="in_review", actor="officer:first")

    assert AuditRun.objects.count() == asked


def test_the_command_says_what_was_found(version: ModelVersion) -> None:
    out, notes = StringIO(), StringIO()

    call_command("model", "audit", "house-recommender", "1", "--only", "leak,bias", stdout=out, stderr=notes)

    assert "sound  Fairness" in out.getvalue()
    assert "lone weights 0" in out.getvalue()
    assert notes.getvalue().splitlines() == ["Reading events ...", "Fairness ...", "Privacy leaks ..."]


def test_the_command_ends_with_a_status_where_a_demanded_gate_fails(
    version: ModelVersion, demanded: Callable[..., None]
) -> None:
    demanded("leak", threshold="0.01")
    out = StringIO()

    with pytest.raises(CommandError, match="fails: leak_audit") as ended:
        call_command("model", "audit", "house-recommender@1", "--only", "leak", "--json", stdout=out)

    assert ended.value.returncode == 1
    document = json.loads(out.getvalue())
    assert document["artifact_sha256"] == version.artifact_sha256
    assert document["signature"].count(".") == 2


def test_the_command_names_the_audits_there_are(version: ModelVersion) -> None:
    with pytest.raises(CommandError, match=r"no audit “luck”\. There are: bias, leak") as ended:
        call_command("model", "audit", "house-recommender", "1", "--only", "luck")

    assert ended.value.returncode == 1


def test_a_case_is_a_register_of_two_officers(version: ModelVersion) -> None:
    document = {
        "slug": "one-topic", "model": "house-recommender", "level": "individual", "region": "", "age_band": "",
        "history": ["DE-00"], "expected": ["DE-01"], "forbidden": [], "reasons": [], "level_used": "", "note": "",
        "is_active": True,
    }  # fmt: skip
    added = propose("one-topic", document)
    applying.apply_protectively(added, actor="officer:first", reason="")
    assert RegressionCase.objects.get().expected == ["DE-01"]

    with pytest.raises(ChangeRefused, match="second officer"):
        applying.apply_protectively(propose("one-topic", None), actor="officer:first", reason="")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expected": []}, "expects something"),
        ({"expected": ["DE-01"], "forbidden": ["DE-01"]}, "both expected and forbidden"),
        ({"history": "DE-00"}, "list of items"),
        ({"history": [{"item": "DE-00"}]}, "list of items"),
        ({"history": ["DE-00"] * 201}, "at most 200"),
    ],
)
def test_a_case_that_says_nothing_is_refused(version: ModelVersion, change: dict[str, Any], said: str) -> None:
    document = {
        "slug": "one-topic", "model": "house-recommender", "level": "individual", "region": "", "age_band": "",
        "history": ["DE-00"], "expected": ["DE-01"], "forbidden": [], "reasons": [], "level_used": "", "note": "",
        "is_active": True, **change,
    }  # fmt: skip

    with pytest.raises(ChangeRefused, match=said):
        applying.apply_protectively(propose("one-topic", document), actor="officer:first", reason="")


def propose(key: str, after: Any) -> Any:
    return drafting.draft([Proposed("regression_case", key, after)], title="Case", actor="officer:first")


def test_a_run_whose_worker_is_killed_each_time_fails(version: ModelVersion) -> None:
    row = running.request(version, author="officer:first", only=["regression"])
    AuditRun.objects.filter(pk=row.pk).update(
        state="running",
        requested_at=timezone.now() - 2 * running.GIVEN_UP_AFTER,
        moved_at=timezone.now() - 2 * running.STALLED_AFTER,
    )

    assert running.to_take_up() == []

    row.refresh_from_db()
    assert (row.state, row.document) == ("failed", None)
    assert "killed" in row.error
    assert AuditEvent.objects.filter(action="model.audit_failed", object=str(version)).exists()
