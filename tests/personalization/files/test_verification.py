"""Thirty planted lies about a version, each found and named; and what is honest, verified."""

import json
import shutil
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.db import transaction

from model_registry.documents import keeping as documents
from model_registry.documents.card import ModelCard
from model_registry.files import signature
from model_registry.models import ModelFile, ModelVersion
from personalization import training
from personalization.recommender import storage
from personalization.snapshots import files
from personalization.snapshots.files import Data
from personalization.verification import rerun, verifying
from personalization.verification.lines import State
from tests.personalization.files.test_snapshots import REF, _age, _retain, _schedule_of, _withdraw
from tests.personalization.test_training_job import people  # noqa: F401 (fixture)
from tests.privacy.rights.erasure.conftest import erased

pytestmark = pytest.mark.django_db


@pytest.fixture
def trained(people, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(settings, "ASSENT_HOME", tmp_path)
    people("yes", 45)
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


# Lies on the card: each changes the card's own document.


def _card_lie(change):
    def plant(version):
        row = documents.current(version, "card")
        content = deepcopy(row.content)
        change(content)
        documents.keep(version, "card", ModelCard.model_validate(content), actor="officer:liar")

    return plant


def _metric(content, group):
    return next(each for each in content["evaluations"][0]["metrics"] if each["slice"] == group)


def _swapped_metric(content):
    _metric(content, "level=individual")["value"] = 0.99


def _swapped_levels(content):
    none, individual = _metric(content, "level=none"), _metric(content, "level=individual")
    none["value"], individual["value"] = individual["value"], none["value"]


def _rounded_up(content):
    metric = _metric(content, "level=individual")
    metric["value"] = round(metric["value"] + 0.005, 2) + 0.001


def _wrong_interval(content):
    _metric(content, "level=segment")["interval"]["lower"] += 0.05


def _narrow_interval(content):
    metric = _metric(content, "level=individual")
    metric["interval"] = {"lower": metric["value"], "upper": metric["value"]}


def _other_k(content):
    _metric(content, "level=individual")["type"] = "ndcg@20"


def _group_metric(content):
    _metric(content, "region=DE|age=adult")["value"] += 0.01


def _unknown_group(content):
    _metric(content, "region=DE|age=adult")["slice"] = "region=AT|age=adult"


def _invented_metric(content):
    metrics = content["evaluations"][0]["metrics"]
    metrics.append({**deepcopy(metrics[0]), "type": "accuracy", "value": 0.97})


def _no_number(content):
    _metric(content, "level=none")["value"] = "state of the art"


def _data_digest(content):
    content["training"]["data"][0]["digest"] = "ab" * 32


def _missing_data_set(content):
    content["training"]["data"].append({"name": "MovieLens 25M", "digest": "cd" * 32})


def _data_without_digest(content):
    content["training"]["data"][0].update({"name": "Events of many people", "digest": ""})


def _evaluation_data(content):
    content["evaluations"][0]["dataset"]["digest"] = "ef" * 32


def _people_count(content):
    content["training"]["data"][0]["description"] = "Events of 7,000 people who allowed it."


def _window_from(content):
    content["training"]["from_day"] = "2019-01-01"


def _window_to(content):
    content["training"]["to_day"] = "2031-01-01"


def _epsilon(content):
    content["training"]["epsilon"] = 0.5


def _privacy_level(content):
    content["training"]["privacy_level"] = "segment"


def _split_rules(content):
    content["evaluations"][0]["dataset"]["args"]["trained_on"] = "0.5"


def _seed(content):
    content["evaluations"][0]["dataset"]["args"]["seed"] = 7


def _disparity(content):
    content["disparities"][0]["value"] = 0.0 if content["disparities"][0]["value"] else 0.2


def _alternative(content):
    content["alternatives"][0]["quality"] = "ndcg@10 0.001 (level=none)"


def _alternative_in_other_words(content):
    content["alternatives"][1]["quality"] = "nDCG@10: 0.999 (level=individual)"


def _alternative_with_more(content):
    content["alternatives"][1]["quality"] += ", recall@10 0.99"


def _disparity_interval(content):
    content["disparities"][0]["interval"] = {"lower": -0.001, "upper": 0.001}


def _other_name(content):
    _metric(content, "level=individual")["name"] = "Accuracy"


def _settings(content):
    _metric(content, "level=individual")["args"] = {"people": "all of them"}


def _tried(content):
    content["alternatives"].append({"approach": "deep network", "quality": "ndcg@10 0.100"})


def _version_number(content):
    content["version"] = "2"


def _date(content):
    content["date"] = "2024-02-29"


def _purposes(content):
    content["governance"]["intended_purposes"].append("newsletter")


# Lies in the folder and the register.


def _data_row(version):
    return version.files.get(kind="data")


def _flipped_byte(version):
    place = files.place(_data_row(version).path)
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(bytes(content))


def _removed_data(version):
    files.place(_data_row(version).path).unlink()


def _data_with_its_digest(version):
    """A person more is taken out of the data, and the register says it was always so."""
    row = _data_row(version)
    kept, _ = files.without(files.place(row.path).read_bytes(), {REF.bytes})
    files.place(row.path).write_bytes(kept)
    digest = files.digest(kept)
    ModelFile.objects.filter(pk=row.pk).update(sha256=digest, current_sha256=digest)


def _changed_split(version):
    """The evaluation says of a person that other items were held out; signed, as the one who trains could."""
    row = version.files.get(kind="evaluation")
    table = files._read(files.place(row.path).read_bytes())
    rows = table.to_pylist()
    rows[0]["relevant"] = rows[0]["S individual"][:1]
    _replace(version, row, files._written(type(table).from_pylist(rows, schema=table.schema)))


def _better_lists(version):
    """The evaluation lists what was held out; signed, as the one who trains could."""
    row = version.files.get(kind="evaluation")
    table = files._read(files.place(row.path).read_bytes())
    rows = [
        {**each, "W individual": each["relevant"] + each["W individual"][: 10 - len(each["relevant"])]}
        for each in table.to_pylist()
    ]
    _replace(version, row, files._written(type(table).from_pylist(rows, schema=table.schema)))


def _replace(version, row, content):
    files.place(row.path).write_bytes(content)
    row.sha256 = row.current_sha256 = files.digest(content)
    row.save()
    _sign_again(version)


def _sign_again(version):
    digests = {file.kind: file.sha256 for file in version.files.exclude(kind="artifact")}
    version.signature = signature.sign(version, digests, metrics_sha256=signature.digest_of_metrics(version.metrics))
    version.save()


def _artifact_byte(version):
    with (settings.MODEL_DIR / version.artifact / "arrays.npz").open("ab") as file:
        file.write(b"\x00")


def _removed_artifact(version):
    shutil.rmtree(settings.MODEL_DIR / version.artifact)


def _changed_weights(version):
    """Other weights under a right digest, registered and signed: only the data says that they are not of it."""
    folder = Path(settings.MODEL_DIR)
    model = storage.load(Path(version.artifact), folder=folder)
    model.parts[0].weights[:] = model.parts[0].weights * np.float32(0.5)
    manifest = storage.save(model, folder, "house-recommender", "changed", created=datetime(2026, 1, 1, tzinfo=UTC))
    version.artifact, version.artifact_sha256 = "house-recommender-changed", manifest.digest
    version.files.filter(kind="artifact").update(path=version.artifact, sha256=manifest.digest)
    _sign_again(version)


def _registered_figure(version):
    """A figure of the register is exchanged, by who has the database and no key."""
    metrics = deepcopy(version.metrics)
    metrics["protocols"]["W"]["individual"]["recall"] += 40
    ModelVersion.objects.filter(pk=version.pk).update(metrics=metrics)


def _registered_and_signed(version):
    """A figure was registered too high from the first, and signed."""
    version.metrics["groups"]["region=DE|age=adult"]["ndcg"] += 40
    _sign_again(version)


def _validation_figure(version):
    version.metrics["validation"]["ndcg_at_10_per_mille"]["chosen"] += 1
    _sign_again(version)


def _no_signature(version):
    ModelVersion.objects.filter(pk=version.pk).update(signature="")


def _artifact_digest(version):
    ModelVersion.objects.filter(pk=version.pk).update(artifact_sha256="12" * 32)


LIES = {
    "swapped metric": (_card_lie(_swapped_metric), "card: evaluations[0] ndcg@10 level=individual"),
    "swapped levels": (_card_lie(_swapped_levels), "card: evaluations[0] ndcg@10 level=none"),
    "rounding up": (_card_lie(_rounded_up), "card: evaluations[0] ndcg@10 level=individual"),
    "wrong interval": (_card_lie(_wrong_interval), "card: evaluations[0] ndcg@10 level=segment interval"),
    "too narrow interval": (_card_lie(_narrow_interval), "card: evaluations[0] ndcg@10 level=individual interval"),
    "other k": (_card_lie(_other_k), "card: evaluations[0] ndcg@20 level=individual"),
    "figure of a group": (_card_lie(_group_metric), "card: evaluations[0] ndcg@10 region=DE|age=adult"),
    "group that was not measured": (_card_lie(_unknown_group), "card: evaluations[0] ndcg@10 region=AT|age=adult"),
    "invented metric": (_card_lie(_invented_metric), "card: evaluations[0] accuracy level=none"),
    "figure that is none": (_card_lie(_no_number), "card: evaluations[0] ndcg@10 level=none"),
    "wrong hash": (_card_lie(_data_digest), "card: training.data[0].digest"),
    "data set that does not exist": (_card_lie(_missing_data_set), "card: training.data[1].digest"),
    "data set without a digest": (_card_lie(_data_without_digest), "card: training.data[0].digest"),
    "measured on other data": (_card_lie(_evaluation_data), "card: evaluations[0].dataset.digest"),
    "people count": (_card_lie(_people_count), "card: training.data[0].description"),
    "earlier window": (_card_lie(_window_from), "card: training.from_day"),
    "later window": (_card_lie(_window_to), "card: training.to_day"),
    "epsilon": (_card_lie(_epsilon), "card: training.epsilon"),
    "privacy level": (_card_lie(_privacy_level), "card: training.privacy_level"),
    "other split on the card": (_card_lie(_split_rules), "card: evaluations[0].dataset.args"),
    "other seed": (_card_lie(_seed), "card: evaluations[0].dataset.args"),
    "disparity": (_card_lie(_disparity), "card: disparities[0] ndcg@10 region=DE|age=adult"),
    "figure by another name": (_card_lie(_other_name), "card: evaluations[0] ndcg@10 level=individual name"),
    "settings of a figure": (_card_lie(_settings), "card: evaluations[0] ndcg@10 level=individual settings"),
    "alternative in other words": (_card_lie(_alternative_in_other_words), "card: alternatives[1] This version"),
    "alternative with a figure more": (_card_lie(_alternative_with_more), "card: alternatives[1] This version"),
    "interval of a disparity": (_card_lie(_disparity_interval), "card: disparities[0] ndcg@10 region=DE|age=adult"),
    "alternative made worse": (_card_lie(_alternative), "card: alternatives[0] General list, the same for everybody"),
    "alternative that was not tried": (_card_lie(_tried), "deep network"),
    "number of the version": (_card_lie(_version_number), "card: version"),
    "date": (_card_lie(_date), "card: date"),
    "purpose it does not have": (_card_lie(_purposes), "card: governance.intended_purposes"),
    "flipped byte of the data": (_flipped_byte, "data snapshot"),
    "missing data": (_removed_data, "data snapshot"),
    "changed data with its digest": (_data_with_its_digest, "data snapshot"),
    "changed split": (_changed_split, "evaluation: split"),
    "better lists": (_better_lists, "evaluation: lists W individual"),
    "damaged artifact": (_artifact_byte, "artifact"),
    "missing artifact": (_removed_artifact, "artifact"),
    "changed weights": (_changed_weights, "artifact: weights"),
    "figure of the register": (_registered_figure, "registered: protocols.W.individual.recall"),
    "figure that was signed too high": (_registered_and_signed, "registered: groups.region=DE|age=adult.ndcg"),
    "figure of the validation": (_validation_figure, "registered: validation.ndcg_at_10_per_mille.chosen"),
    "no signature": (_no_signature, "signature"),
    "digest of another artifact": (_artifact_digest, "signature"),
}


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
    assert {f"registered: {path}" for path in ("people", "window[0]", "data_sha256")} <= named


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
    ):  # fmt: skip
        assert states[what] is State.DIGEST_ONLY, what
    verified = {what for what, state in states.items() if state is State.VERIFIED}
    assert not any(what.startswith(("registered: ", "card: evaluations", "artifact: ")) for what in verified)


def test_a_lie_on_the_card_is_found_after_someone_left(trained):
    erased(REF)

    _card_lie(_swapped_metric)(trained)

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
    row = _data_row(trained)
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
    _card_lie(_epsilon)(trained)
    bad = verifying.record(trained, verifying.verify(trained), actor="operator")

    assert (good.is_passed, good.figures["bad"], good.artifact_sha256) == (True, [], trained.artifact_sha256)
    assert (bad.is_passed, [each["what"] for each in bad.figures["bad"]]) == (False, ["card: training.epsilon"])
    assert json.dumps(bad.figures)
