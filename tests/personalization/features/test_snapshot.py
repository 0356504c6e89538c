"""Features of a training: in a file of its people alone, on the version's page, and watched by monitors."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from consent.pseudonyms import subject_ref
from model_registry.models import ModelFile
from model_registry.pages import panels
from personalization import training
from personalization.features import snapshot
from personalization.features.models import Feature
from personalization.models import Event
from personalization.monitors import measuring
from personalization.monitors.measuring import Subject
from personalization.snapshots import files, keeping
from personalization.verification import of_files
from privacy.rights.stores import seam
from tests.privacy.rights.erasure.conftest import erased

pytestmark = pytest.mark.django_db


@pytest.fixture
def trained(people, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "ASSENT_HOME", tmp_path)
    people("yes", 25)
    people("no", 3, choice="refuse")
    return training.train_recommender(actor="officer:test")


def _content(version):
    return keeping.read(ModelFile.objects.get(version=version, kind=ModelFile.Kind.FEATURES))


def test_a_snapshot_holds_the_people_who_permit_training_and_their_features(trained):
    documents, table = snapshot.read(_content(trained))

    assert [each["name"] for each in documents] == ["items_touched", "likes", "looks", "since_last"]
    rows = {row["person"]: row for row in table.to_pylist()}
    assert rows.keys() == {subject_ref(f"yes-{number}").bytes for number in range(25)}
    assert {(row["likes_v1"], row["items_touched_v1"], row["looks_v1"]) for row in rows.values()} == {(6, 6, 0)}
    assert ("features", "verified") in [(line.what, str(line.state)) for line in of_files.check(trained).lines]


def test_who_is_erased_leaves_the_features_too(trained):
    ref = subject_ref("yes-3")
    assert any(line.startswith("likes@1 6") for line in seam.find("model_training").export(ref)[0]["touches"])

    erased(ref)

    _, table = snapshot.read(_content(trained))
    assert len(table) == 24
    assert ref.bytes not in table["person"].to_pylist()
    assert seam.find("model_training").left_elsewhere(ref) == 0


def test_a_file_that_is_none_of_features_is_unreadable(trained):
    content = keeping.read(ModelFile.objects.get(version=trained, kind=ModelFile.Kind.DATA))

    with pytest.raises(files.Unreadable):
        snapshot.read(content)


def test_the_page_of_a_version_names_events_features_and_what_replaced_them(trained):
    shown = panels.drawn(trained)
    assert "Number of events: Like, Purchase" in shown
    assert "Replaced since" not in shown

    Feature.objects.create(
        name="likes", version=2, kind="count", events=["like"], purpose="recommendations", freshness_s=60, owner="anna"
    )

    assert "Replaced since" in panels.drawn(trained)


def test_monitors_watch_missing_values_freshness_and_changed_definitions(trained):
    def measured(name, part=""):
        model = of_files.check(trained).model
        found = measuring.measure(Subject(trained, model, [], "recommendations", timezone.now()))
        [one] = [each for each in found if (each.monitor, each.part) == (name, part)]
        return one.value, one.samples

    assert measured("missing_inputs", "feature since_last") == (0.0, 25)
    assert measured("changed_features") == (0.0, 4)
    assert measured("stale_features", "looks")[0] is None
    assert measured("stale_features", "likes")[0] == pytest.approx(0.5, abs=0.01)  # a day of two

    Event.objects.update(received_at=timezone.now() - timedelta(days=6))
    Feature.objects.create(
        name="likes", version=2, kind="count", events=["like"], purpose="recommendations", freshness_s=60, owner="anna"
    )

    assert measured("stale_features", "likes")[0] == pytest.approx(3, abs=0.01)
    assert measured("changed_features") == (1.0, 4)
