"""Snapshots of trainings: what is in them, who leaves them and when, and what a schedule deletes and keeps."""

import json
from datetime import timedelta
from io import BytesIO

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from pyarrow import parquet

from audit import jws
from audit.models import AuditEvent
from consent.ledger import ledger
from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from model_registry import services
from model_registry.files import ageing, signature
from model_registry.models import ModelFile, ModelVersion
from model_registry.services import ArtifactGone
from oversight import guard
from personalization import tasks, training
from personalization.models import SnapshotPerson, TrainingMember
from personalization.snapshots import data_set, files, keeping, shipping
from personalization.training_sets import members, retraining
from personalization.verification import of_files
from personalization.verification.lines import State
from privacy.models import RetentionSchedule
from privacy.retention import disposal, plans, schedules
from privacy.retention.data_sets import refusals
from privacy.rights.stores import seam
from tests.audit.test_signing_keys import planted_key
from tests.helpers import models
from tests.privacy.rights.erasure.conftest import erased

pytestmark = pytest.mark.django_db
REF, OTHER = subject_ref("yes-3"), subject_ref("yes-4")


def _file(version, kind="data"):
    return version.files.get(kind=kind)


def _bytes(version, kind="data"):
    return files.place(_file(version, kind).path).read_bytes()


def _withdraw(name):
    choice = ledger.Choice(purpose="recommendations", choice="withdraw")
    ref = subject_ref(name)
    ledger.save_choices(ledger.Request(subject_ref=ref, choices=[choice], source="api", actor="test", region="DE"))
    disposal.sweep()
    for run in disposal.Disposal.objects.filter(status__in=disposal.Disposal.OPEN):
        disposal.run(run.pk)


def test_a_training_keeps_its_data_and_its_evaluation_signed_with_the_version(trained):
    said = signature.read(trained.signature)

    assert said.trained_on == trained.metrics["data_sha256"]
    for kind in ("data", "evaluation"):
        assert said.files[kind] == _file(trained, kind).sha256 == files.digest(_bytes(trained, kind))
    rows = parquet.read_table(BytesIO(_bytes(trained))).to_pylist()
    assert set(rows[0]) == {"person", "item", "weight", "rating", "time", "segment"}
    assert len({row["person"] for row in rows}) == trained.metrics["people"] == 25
    asked = files.read_evaluation(_bytes(trained, "evaluation"))
    assert asked.rules == files.rules()
    assert len(asked.lists) == trained.metrics["measured_on"]
    assert SnapshotPerson.objects.filter(version=trained).count() == 25


def test_an_access_holds_what_a_snapshot_says_of_a_person(trained):
    store = seam.find("model_training")

    rows = list(store.export(REF))

    assert len(rows) == store.count(REF) == 1
    assert len(rows[0]["touches"]) == 6 + 4  # and the features
    assert store.verify(REF) > 7  # rows of two tables, of the data and of the evaluation
    assert (list(store.export(subject_ref("no-one"))), store.verify(subject_ref("no-one"))) == ([], 0)


def test_ratings_are_kept_low_ones_too_and_an_access_holds_them(people, rate, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "ASSENT_HOME", tmp_path)
    people("yes", 25)
    rate("yes", 5)

    version = training.train_recommender(actor="officer:test")

    assert sorted(files.read_data(_bytes(version)).ratings.weight) == [2.0] * 5 + [4.0] * 5 + [5.0] * 5
    [row] = seam.find("model_training").export(REF)
    assert len(row["touches"]) == 6 + 2 + 3 + 4  # likes, ratings that speak for an item, ratings, features
    assert [said.split()[-1] for said in row["touches"] if "rated" in said] == ["4", "5", "2"]


def test_erased_people_leave_the_files_and_the_others_stay(trained):
    before = _bytes(trained)

    erased(REF)

    assert seam.find("model_training").verify(REF) == 0
    for kind in ("data", "evaluation"):
        assert REF.bytes not in _bytes(trained, kind)
        assert OTHER.bytes in _bytes(trained, kind)
    file = _file(trained)
    assert (file.sha256, file.persons_left, file.is_whole) == (files.digest(before), 1, False)
    assert file.current_sha256 == files.digest(_bytes(trained))


def test_who_withdraws_leaves_the_snapshots_of_every_version(trained):
    models.go_live(trained)
    second = training.train_recommender(actor="officer:test")

    _withdraw("yes-3")

    for version in (trained, second):
        assert REF.bytes not in _bytes(version)
        assert OTHER.bytes in _bytes(version)
    assert not SnapshotPerson.objects.filter(subject_ref=REF).exists()


def test_a_hold_keeps_a_person_in_the_snapshots(trained):
    from consent.models import DataSubject

    DataSubject.objects.filter(ref=REF).update(held=True)

    _withdraw("yes-3")

    assert REF.bytes in _bytes(trained)


def test_who_withdraws_while_a_training_runs_is_in_no_file_of_it(people, monkeypatch):
    people("yes", 25)
    noted = members.note

    def withdraw_meanwhile(*arguments):
        _withdraw("yes-3")
        return noted(*arguments)

    monkeypatch.setattr(members, "note", withdraw_meanwhile)
    version = training.train_recommender(actor="officer:test")

    assert REF.bytes not in _bytes(version)
    assert _file(version).persons_left == 1


def test_who_is_erased_while_a_training_runs_is_in_nothing_of_it_and_another_one_is_due(people, monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "ASSENT_HOME", tmp_path)
    people("yes", 25)
    noted = members.note

    def erase_meanwhile(*arguments):
        erased(REF)
        return noted(*arguments)

    monkeypatch.setattr(members, "note", erase_meanwhile)
    version = training.train_recommender(actor="officer:test")

    assert seam.find("model_training").verify(REF) == 0
    assert REF.bytes not in _bytes(version)
    assert not TrainingMember.objects.filter(subject_ref=REF).exists()
    assert retraining.is_due()
    monkeypatch.setattr(members, "note", noted)
    training.train_recommender(actor="officer:test")
    assert not retraining.is_due()


def test_an_erasure_that_ended_no_consent_counts_as_well(trained):
    """A purpose that rests on something else is trained on without a choice, and has no withdrawal."""
    other = services.register_version(model=trained.model, purposes=[], actor="job:training")
    DataSubject.objects.filter(ref=REF).update(erased_revision=F("revision"), erased_at=timezone.now())

    keeping.note(other, {REF, OTHER}, purpose="recommendations", since=timezone.now(), actor="job:training")

    assert list(SnapshotPerson.objects.filter(version=other).values_list("subject_ref", flat=True)) == [OTHER]


def test_a_file_that_was_changed_before_a_person_left_does_not_pass_for_the_registered_one(trained):
    file = _file(trained)
    place = files.place(file.path)
    kept, _ = files.without(place.read_bytes(), {OTHER.bytes})
    place.write_bytes(kept)

    erased(REF)

    file.refresh_from_db()
    assert REF.bytes not in place.read_bytes()
    assert file.current_sha256 != files.digest(place.read_bytes())


def _deleted(version, *refs):
    SnapshotPerson.objects.filter(version=version, subject_ref__in=refs).delete()
    keeping.leave(version.pk, set(refs), actor="test")


def _rolled_back(version, ref):
    with transaction.atomic():
        _deleted(version, ref)
        transaction.set_rollback(True)


def _state(version):
    return next(line.state for line in of_files.check(version).lines if line.what == "data snapshot")


def test_a_deletion_that_is_rolled_back_leaves_the_evidence_right(trained):
    _rolled_back(trained, REF)
    _rolled_back(trained, OTHER)

    assert REF.bytes not in _bytes(trained)
    assert OTHER.bytes not in _bytes(trained)
    assert (_file(trained).persons_left, _state(trained)) == (0, State.DIGEST_ONLY)
    _deleted(trained, REF)

    assert (_file(trained).persons_left, _state(trained)) == (2, State.DIGEST_ONLY)
    assert _file(trained).current_sha256 == files.digest(_bytes(trained))


def test_a_note_of_another_file_or_digest_or_key_excuses_nothing(trained):
    _rolled_back(trained, REF)
    place = files.place(_file(trained).path)
    note = place.with_name(place.name + files.NOTE)
    genuine = note.read_bytes()
    note.write_bytes(note.with_name(files.EVALUATION + files.NOTE).read_bytes())
    assert _state(trained) == State.DIFFERS
    note.write_bytes(
        jws.sign(jws.decode(genuine.decode().split(".")[1]), planted_key(), typ="assent-snapshot-left").encode()
    )
    assert _state(trained) == State.DIFFERS
    note.write_bytes(genuine)
    assert _state(trained) == State.DIGEST_ONLY

    place.write_bytes(files.without(_bytes(trained), {OTHER.bytes})[0])

    assert _state(trained) == State.DIFFERS


def test_the_last_one_takes_the_files_along(trained):
    names = list(SnapshotPerson.objects.values_list("subject_ref", flat=True))

    with transaction.atomic():
        keeping.leave(trained.pk, set(names), actor="test")

    assert not (settings.MODEL_DIR / "snapshots").exists() or not any((settings.MODEL_DIR / "snapshots").iterdir())
    assert _file(trained).gone_at is not None
    assert AuditEvent.objects.filter(action="model.file_deleted").count() == 3


# Retention


def _schedule_of(period=timedelta(days=30)):
    with transaction.atomic(), guard.writing("test"):
        return RetentionSchedule.objects.create(slug="snapshots", data_set="model_training", retain_for=period)


def _age(version, days):
    moment = timezone.now() - timedelta(days=days)
    SnapshotPerson.objects.filter(version=version).update(made_at=moment)
    ModelVersion.objects.filter(pk=version.pk).update(status_changed_at=moment)


def _retain(schedule):
    plan = plans.make(schedule, actor="job:retention", by_schedule=True)
    if plan.blockers:
        return plan
    return disposal.run(disposal.queue_plan(plans.approve_by_schedule(plan, actor="job:retention")).pk)


@pytest.mark.parametrize(("status", "kept"), [("draft", False), ("approved", True), ("live", True), ("retired", False)])
def test_a_schedule_deletes_old_snapshots_that_nothing_leads_back_to(trained, status, kept):
    if status in ("approved", "live", "retired"):
        models.go_live(trained)
    if status != "draft":
        models.take(ModelVersion.objects.get(pk=trained.pk), status) if status != "live" else None
    _age(trained, 31)

    run = _retain(_schedule_of())

    assert (_file(trained).gone_at is None) is kept
    assert files.place(_file(trained).path).exists() is kept
    assert run.removed == ({} if kept else {"model_training": 25})


def test_a_young_snapshot_stays(trained):
    _age(trained, 29)

    _retain(_schedule_of())

    assert _file(trained).gone_at is None


def test_the_shipped_schedule_is_one_that_can_run_and_is_shipped_once(trained):
    assert shipping.ensure_schedule(actor="system")
    assert not shipping.ensure_schedule(actor="system")

    schedule = RetentionSchedule.objects.get(slug=shipping.SLUG)
    assert refusals.why_not(schedule) == ""
    assert schedules.way_of(schedule) is data_set.UNREFERENCED
    schedule.undo_days = 7
    assert "cannot be put back" in refusals.why_not(schedule)


@pytest.mark.parametrize(("status", "kept"), [("draft", False), ("approved", True), ("live", True), ("retired", False)])
def test_old_artifacts_go_by_their_record_period_and_what_can_serve_stays(trained, status, kept):
    if status != "draft":
        models.go_live(trained)
    if status in ("approved", "retired"):
        models.take(ModelVersion.objects.get(pk=trained.pk), status)
    place = settings.MODEL_DIR / trained.artifact
    _age(trained, 91)

    tasks.forget_model_files()

    assert place.exists() is kept
    assert (_file(trained, "artifact").gone_at is None) is kept
    assert ageing.forget_old() == 0


def test_a_version_whose_artifact_was_deleted_cannot_be_approved(trained):
    models.with_evidence(trained)
    _age(trained, 91)
    ageing.forget_old()
    models.take(trained, "in_review")

    with pytest.raises(ArtifactGone):
        models.take(trained, "approved")


def test_files_of_a_training_that_failed_to_register_are_removed(people, monkeypatch):
    people("yes", 25)
    monkeypatch.setattr(members, "note", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        training.train_recommender(actor="officer:test")

    assert not list((settings.MODEL_DIR / "snapshots").glob("*/*"))


def test_files_that_no_version_names_are_swept_after_a_day(trained):
    import os

    files.write("snapshots/lost/data.parquet", b"of a killed training")
    assert keeping.sweep() == 0
    for path in (settings.MODEL_DIR / "snapshots").glob("*/*"):
        os.utime(path, (0, 0))

    assert keeping.sweep() == 1

    assert len(list((settings.MODEL_DIR / "snapshots").glob("*/*"))) == 3
    assert ModelFile.objects.filter(gone_at=None).count() == 4


def test_a_path_out_of_the_folder_is_refused(trained):
    for path in ("../secret", "snapshots/../../secret", "house-recommender-1/arrays.npz", "/etc/passwd"):
        with pytest.raises(files.Unreadable):
            files.place(path)


def test_figures_are_registered_with_the_digest_that_is_signed(trained):
    said = signature.read(trained.signature)

    assert said.metrics_sha256 == signature.digest_of_metrics(json.loads(json.dumps(trained.metrics)))
