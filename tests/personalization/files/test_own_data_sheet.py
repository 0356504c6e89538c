"""The data sheet of our own model, judged by mlcroissant, the format's own library."""

import json

import pytest
from django.conf import settings

from model_registry import prefill
from model_registry.documents import croissant
from personalization import training
from tests.model_registry.documents.judges.test_croissant_judged import judged

pytestmark = pytest.mark.django_db


def test_mlcroissant_finds_nothing_wrong_in_the_sheet_of_our_own_model(people, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "ASSENT_HOME", tmp_path)
    people("yes", 25)
    trained = training.train_recommender(actor="officer:test")
    begun = prefill.datasheet(trained)
    # What no register knows, officers add.
    said = begun.model_copy(update={"url": "https://example.org/data", "licence": "https://example.org/internal"})
    document = json.loads(croissant.write(said))
    lying = json.loads(croissant.write(said))
    lying["distribution"][0].pop("sha256")

    found, of_lying = judged(document, lying)

    assert found["errors"] == []
    assert "sha256" in "".join(of_lying["errors"])
    (file,) = document["distribution"]
    assert file["sha256"] == trained.files.get(kind="data").sha256
