"""Planted lies about a version: on its card, in its folder and in its register, with the line that names each."""

import shutil
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from django.conf import settings

from consent.pseudonyms import subject_ref
from model_registry.documents import keeping as documents
from model_registry.documents.card import ModelCard
from model_registry.files import signature
from model_registry.models import ModelFile, ModelVersion
from personalization.recommender import storage
from personalization.registered import own_card
from personalization.snapshots import files

REF = subject_ref("yes-3")

# Lies on the card: each changes the card's own document.


def on_card(change):
    def plant(version):
        row = documents.current(version, "card")
        content = deepcopy(row.content)
        change(content)
        documents.keep(version, "card", ModelCard.model_validate(content), actor="officer:liar")

    return plant


def _member(content, path):
    """Return the object that holds the last member of a path, and its name."""
    *way, last = path.split(".")
    for step in way:
        content = content[int(step) if step.isdigit() else step]
    return content, last


def said(path, value):
    """State another value, or what becomes of the one that stands there."""

    def change(content):
        inside, last = _member(content, path)
        inside[last] = value(inside[last]) if callable(value) else value

    return on_card(change)


def _added(path, value):
    return said(path, lambda before: [*before, value])


def _metric(content, group):
    return next(each for each in content["evaluations"][0]["metrics"] if each["slice"] == group)


def figure(group, **other):
    """State a figure of a group otherwise; a function makes a member of the whole figure."""

    def change(content):
        metric = _metric(content, group)
        metric.update({name: value(metric) if callable(value) else value for name, value in other.items()})

    return on_card(change)


def measure(kind, group, value):
    """State another figure of a kind, or one where there is none."""

    def change(content):
        metrics = content["evaluations"][0]["metrics"]
        same = [each for each in metrics if (each["type"], each["slice"]) == (kind, group)]
        if not same:
            metrics.append({**deepcopy(metrics[0]), "type": kind, "slice": group, "interval": None})
            same = metrics[-1:]
        same[0]["value"] = value

    return on_card(change)


def _swapped_levels(content):
    none, individual = _metric(content, "level=none"), _metric(content, "level=individual")
    none["value"], individual["value"] = individual["value"], none["value"]


def _invented_metric(content):
    metrics = content["evaluations"][0]["metrics"]
    metrics.append({**deepcopy(metrics[0]), "type": "accuracy", "value": 0.97})


def _data_without_digest(content):
    content["training"]["data"][0].update({"name": "Events of many people", "digest": ""})


# Lies in the folder and the register.


def data_row(version):
    return version.files.get(kind="data")


def _flipped_byte(version):
    place = files.place(data_row(version).path)
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(bytes(content))


def _removed_data(version):
    files.place(data_row(version).path).unlink()


def _data_with_its_digest(version):
    """A person more is taken out of the data, and the register says it was always so."""
    row = data_row(version)
    kept, _ = files.without(files.place(row.path).read_bytes(), {REF.bytes})
    files.place(row.path).write_bytes(kept)
    digest = files.digest(kept)
    ModelFile.objects.filter(pk=row.pk).update(sha256=digest, current_sha256=digest)


def _changed_split(version):
    """The evaluation says of a person that other items were held out; signed, as the one who trains could."""
    row = version.files.get(kind="evaluation")
    table = files.table_of(files.place(row.path).read_bytes())
    rows = table.to_pylist()
    rows[0]["relevant"] = rows[0]["S individual"][:1]
    _replace(version, row, files.table_bytes(type(table).from_pylist(rows, schema=table.schema)))


def _better_lists(version):
    """The evaluation lists what was held out; signed, as the one who trains could."""
    row = version.files.get(kind="evaluation")
    table = files.table_of(files.place(row.path).read_bytes())
    rows = [
        {**each, "W individual": each["relevant"] + each["W individual"][: 10 - len(each["relevant"])]}
        for each in table.to_pylist()
    ]
    _replace(version, row, files.table_bytes(type(table).from_pylist(rows, schema=table.schema)))


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


def _registered_new_items(version):
    version.metrics["new_items"] = {"people": 400, "ndcg": 991, "interval": [980, 999]}
    _sign_again(version)


def _registered_ratings(version):
    version.metrics["ratings"]["mae"] -= 1
    _sign_again(version)


def _validation_figure(version):
    version.metrics["validation"]["ndcg_at_10_per_mille"]["chosen"] += 1
    _sign_again(version)


def _no_signature(version):
    ModelVersion.objects.filter(pk=version.pk).update(signature="")


def _artifact_digest(version):
    ModelVersion.objects.filter(pk=version.pk).update(artifact_sha256="12" * 32)


def _said_to_be_deleted(kind):
    def plant(version):
        version.files.filter(kind=kind).update(gone_at=datetime(2026, 1, 1, tzinfo=UTC))

    return plant


LIES = {
    "swapped metric": (figure("level=individual", value=0.99), "card: evaluations[0] ndcg@10 level=individual"),
    "swapped levels": (on_card(_swapped_levels), "card: evaluations[0] ndcg@10 level=none"),
    "rounding up": (
        figure("level=individual", value=lambda it: round(it["value"] + 0.005, 2) + 0.001),
        "card: evaluations[0] ndcg@10 level=individual",
    ),
    "wrong interval": (
        figure("level=segment", interval=lambda it: {**it["interval"], "lower": it["interval"]["lower"] + 0.05}),
        "card: evaluations[0] ndcg@10 level=segment interval",
    ),
    "too narrow interval": (
        figure("level=individual", interval=lambda it: {"lower": it["value"], "upper": it["value"]}),
        "card: evaluations[0] ndcg@10 level=individual interval",
    ),
    "other k": (figure("level=individual", type="ndcg@20"), "card: evaluations[0] ndcg@20 level=individual"),
    "figure of a group": (
        figure("region=DE|age=adult", value=lambda it: it["value"] + 0.01),
        "card: evaluations[0] ndcg@10 region=DE|age=adult",
    ),
    "group that was not measured": (
        figure("region=DE|age=adult", slice="region=AT|age=adult"),
        "card: evaluations[0] ndcg@10 region=AT|age=adult",
    ),
    "invented metric": (on_card(_invented_metric), "card: evaluations[0] accuracy level=none"),
    "figure that is none": (figure("level=none", value="state of the art"), "card: evaluations[0] ndcg@10 level=none"),
    "figure of serendipity": (
        measure("serendipity", "level=individual, protocol=W", 0.77),
        "card: evaluations[0] serendipity level=individual, protocol=W",
    ),
    "figure of novelty": (
        measure("novelty", "level=none, protocol=W", 0.01),
        "card: evaluations[0] novelty level=none, protocol=W",
    ),
    "error of predicted ratings": (
        measure("rmse", "level=individual, on 80 ratings of 40 people", 0.01),
        "card: evaluations[0] rmse level=individual, on 80 ratings of 40 people",
    ),
    "errors on more ratings": (
        figure("by biases alone, on 80 ratings of 40 people", slice="by biases alone, on 8000 ratings of 40 people"),
        "card: evaluations[0] rmse by biases alone, on 8000 ratings of 40 people",
    ),
    "error of predicted ratings in the register": (_registered_ratings, "registered: ratings.mae"),
    "figure of new items": (
        measure("ndcg@10", own_card.NEW_ITEMS, 0.99),
        "card: evaluations[0] ndcg@10 new items alone, protocol=S",
    ),
    "figure of new items in the register": (_registered_new_items, "registered: new_items.ndcg"),
    "wrong hash": (said("training.data.0.digest", "ab" * 32), "card: training.data[0].digest"),
    "data set that does not exist": (
        _added("training.data", {"name": "MovieLens 25M", "digest": "cd" * 32}),
        "card: training.data[1].digest",
    ),
    "data set without a digest": (on_card(_data_without_digest), "card: training.data[0].digest"),
    "measured on other data": (said("evaluations.0.dataset.digest", "ef" * 32), "card: evaluations[0].dataset.digest"),
    "people count": (
        said("training.data.0.description", "Events of 7,000 people who allowed it."),
        "card: training.data[0].description",
    ),
    "earlier window": (said("training.from_day", "2019-01-01"), "card: training.from_day"),
    "later window": (said("training.to_day", "2031-01-01"), "card: training.to_day"),
    "epsilon": (said("training.epsilon", 0.5), "card: training.epsilon"),
    "privacy level": (said("training.privacy_level", "segment"), "card: training.privacy_level"),
    "other split on the card": (
        said("evaluations.0.dataset.args.trained_on", "0.5"),
        "card: evaluations[0].dataset.args",
    ),
    "other seed": (said("evaluations.0.dataset.args.seed", 7), "card: evaluations[0].dataset.args"),
    "disparity": (
        said("disparities.0.value", lambda value: 0.0 if value else 0.2),
        "card: disparities[0] ndcg@10 region=DE|age=adult",
    ),
    "figure by another name": (
        figure("level=individual", name="Accuracy"),
        "card: evaluations[0] ndcg@10 level=individual name",
    ),
    "settings of a figure": (
        figure("level=individual", args={"people": "all of them"}),
        "card: evaluations[0] ndcg@10 level=individual settings",
    ),
    "alternative in other words": (
        said("alternatives.1.quality", "nDCG@10: 0.999 (level=individual)"),
        "card: alternatives[1] This version",
    ),
    "alternative with a figure more": (
        said("alternatives.1.quality", lambda quality: f"{quality}, recall@10 0.99"),
        "card: alternatives[1] This version",
    ),
    "interval of a disparity": (
        said("disparities.0.interval", {"lower": -0.001, "upper": 0.001}),
        "card: disparities[0] ndcg@10 region=DE|age=adult",
    ),
    "alternative made worse": (
        said("alternatives.0.quality", "ndcg@10 0.001 (level=none)"),
        "card: alternatives[0] General list, the same for everybody",
    ),
    "alternative that was not tried": (
        _added("alternatives", {"approach": "deep network", "quality": "ndcg@10 0.100"}),
        "deep network",
    ),
    "number of the version": (said("version", "2"), "card: version"),
    "date": (said("date", "2024-02-29"), "card: date"),
    "purpose it does not have": (
        _added("governance.intended_purposes", "newsletter"),
        "card: governance.intended_purposes",
    ),
    "name of other data with the digest of these": (
        said("training.data.0.name", "MovieLens 25M"),
        "card: training.data[0].name",
    ),
    "measured on what it was trained on": (
        said("evaluations.0.dataset.split", "train"),
        "card: evaluations[0].dataset.split",
    ),
    "revision of the data": (
        said("training.data.0.revision", "e8379541af4e31359cca9fbcf4b00f2671dba205"),
        "card: training.data[0].revision",
    ),
    "people in other words": (
        said("training.data.0.description", lambda before: f"{before} Asked were 7 million users."),
        "card: training.data[0].description",
    ),
    "people written short": (
        said("training.data.0.description", "Events of 7k people."),
        "card: training.data[0].description",
    ),
    "mark of verification": (
        figure("level=individual", verified=True),
        "card: evaluations[0] ndcg@10 level=individual verified",
    ),
    "another approach chosen": (
        said("alternatives.0.chosen", True),
        "card: alternatives[0] General list, the same for everybody chosen",
    ),
    "latency that was not measured": (
        said("alternatives.1.latency", "0.001 s"),
        "card: alternatives[1] This version latency",
    ),
    "energy that was not measured": (
        said("considerations.environmental", {"energyConsumptions": [{"activity": "training"}]}),
        "card: considerations.environmental",
    ),
    "forbids what it does": (
        said("governance.forbidden_purposes", ["recommendations"]),
        "card: governance.forbidden_purposes",
    ),
    "day with more behind it": (said("date", lambda before: f"{before}, before the change"), "card: date"),
    "data that were not deleted": (_said_to_be_deleted("data"), "data snapshot"),
    "artifact that was not deleted": (_said_to_be_deleted("artifact"), "artifact"),
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
