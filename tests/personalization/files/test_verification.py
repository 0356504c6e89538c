"""Verification of a version: planted lies are found and named, what is honest is verified, what is gone is said."""

import json
import shutil

import pytest
from django.conf import settings
from django.db import transaction

from model_registry.files import signature
from model_registry.models import ModelFile, ModelVersion
from personalization import training
from personalization.snapshots import files
from personalization.snapshots.files import Data
from personalization.verification import rerun, verifying
from personalization.verification.lines import State
from tests.personalization.files.lies import LIES, REF, data_row, figure, said
from tests.personalization.files.test_snapshots import _age, _retain, _schedule_of, _withdraw
from tests.privacy.rights.erasure.conftest import erased

pytestmark = pytest.mark.django_db


@pytest.fixture
def trained(people, rate, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "ASSENT_HOME", tmp_path)
    people("yes", 45)
    rate("yes", 40)
    people("sud", 25, region="FR", items=5)
    return training.train_recommender(actor="officer:test")


@pytest.fixture
def trained_once(monkeypatch):
    """The training of a verification, done once for the same bytes: thirty verifications ask for the same."""
    kept, figures = {}, {}

    def once(data, model, again=rerun.rerun):
        key = (files.digest(files.data_bytes(data)), repr(model.parameters), len(model.items))
        if key not in kept:
            kept[key] = again(data, model)
        return kept[key]

    def metrics_once(found, again, of=rerun.metrics):
        key = (id(found.data and again), repr(found.listed and found.listed.lists))
        if key not in figures:
            figures[key] = of(found, again)
        return figures[key]

    monkeypatch.setattr(rerun, "rerun", once)
    monkeypatch.setattr(rerun, "metrics", metrics_once)


def _bad(version):
    return {line.what: line for line in verifying.verify(ModelVersion.objects.get(pk=version.pk)).bad}


def test_every_planted_lie_is_found_and_named(trained, trained_once, tmp_path):
    assert len(LIES) >= 30
    kept, missed = tmp_path / "kept", {}
    shutil.copytree(settings.MODEL_DIR, kept)

    for name, (plant, named) in LIES.items():
        before = transaction.savepoint()
        plant(ModelVersion.objects.select_related("model").get(pk=trained.pk))
        found = _bad(trained)
        if not any(what == named or what.endswith(named) for what in found):
            missed[name] = sorted(found)
        assert all(line.why for line in found.values()), name
        transaction.savepoint_rollback(before)
        shutil.rmtree(settings.MODEL_DIR)
        shutil.copytree(kept, settings.MODEL_DIR)

    assert missed == {}
    assert _bad(trained) == {}


def test_an_honest_version_is_verified_in_every_line(trained):
    report = verifying.verify(trained)

    assert {line.what: line.why for line in report.lines if line.state is not State.VERIFIED} == {}
    named = {line.what for line in report.lines}
    assert {"signature", "artifact: weights", "evaluation: split", "card: training.data[0].digest"} <= named
    assert sum(what.startswith("card: ") for what in named) > 20
    assert {f"registered: {path}" for path in ("people", "window[0]", "data_sha256", "ratings.rmse")} <= named
    on = "on 80 ratings of 40 people"
    assert {f"card: evaluations[0] {name} level=individual, {on}" for name in ("rmse", "mae")} <= named


# What can no longer be recomputed


@pytest.mark.parametrize("leave", [lambda: erased(REF), lambda: _withdraw("yes-3")])
def test_after_someone_left_the_figures_have_a_digest_only(trained, leave):
    leave()

    report = verifying.verify(ModelVersion.objects.get(pk=trained.pk))

    assert report.bad == []
    states = {line.what: line.state for line in report.lines}
    for what in (
        "data snapshot", "registered: people", "registered: protocols.W.individual.ndcg",
        "card: training.data[0].digest", "card: evaluations[0] ndcg@10 level=individual",
        "registered: ratings.mae", "card: evaluations[0] rmse by biases alone, on 80 ratings of 40 people",
    ):  # fmt: skip
        assert states[what] is State.DIGEST_ONLY, what
    verified = {what for what, state in states.items() if state is State.VERIFIED}
    assert not any(what.startswith(("registered: ", "card: evaluations", "artifact: ")) for what in verified)


def test_a_lie_on_the_card_is_found_after_someone_left(trained):
    erased(REF)

    figure("level=individual", value=0.99)(trained)

    assert set(_bad(trained)) == {"card: evaluations[0] ndcg@10 level=individual"}


def test_after_the_retention_of_the_snapshot_the_figures_have_a_digest_only(trained):
    _age(trained, 31)
    _retain(_schedule_of())

    report = verifying.verify(ModelVersion.objects.get(pk=trained.pk))

    assert report.bad == []
    states = {line.what: line.state for line in report.lines}
    assert states["data snapshot"] is states["registered: data_sha256"] is State.DIGEST_ONLY


def test_who_says_that_someone_left_cannot_make_a_changed_file_verified(trained):
    """The row is changed with the file, as by someone with the database: never more than a digest comes of it."""
    row = data_row(trained)
    data = files.read_data(files.place(row.path).read_bytes())
    touches = data.interactions
    half = touches.rows(range(len(touches) // 2))
    content = files.data_bytes(Data(half, data.segments))
    files.place(row.path).write_bytes(content)
    ModelFile.objects.filter(pk=row.pk).update(current_sha256=files.digest(content), persons_left=1)

    states = {line.what: line.state for line in verifying.verify(trained).lines}

    assert states["data snapshot"] is State.DIGEST_ONLY
    assert states["card: training.data[0].digest"] is State.DIGEST_ONLY


def test_a_version_of_an_older_release_has_nothing_that_bears_its_figures_out(trained):
    trained.files.exclude(kind="artifact").delete()
    trained.signature = signature.sign(trained, {}, metrics_sha256="")
    trained.save()

    found = _bad(trained)

    assert found["data snapshot"].state is found["registered: people"].state is State.MISSING
    assert found["card: evaluations[0] ndcg@10 level=none"].state is State.MISSING
    assert "signature" not in found
    assert "artifact" not in found


def test_the_outcome_is_kept_as_evidence_about_the_file(trained, trained_once):
    good = verifying.record(trained, verifying.verify(trained), actor="operator")
    said("training.epsilon", 0.5)(trained)
    bad = verifying.record(trained, verifying.verify(trained), actor="operator")

    assert (good.is_passed, good.figures["bad"], good.artifact_sha256) == (True, [], trained.artifact_sha256)
    assert (bad.is_passed, [each["what"] for each in bad.figures["bad"]]) == (False, ["card: training.epsilon"])
    assert json.dumps(bad.figures)
