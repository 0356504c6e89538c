"""An erasure names the models that learnt from the person, and has them trained anew."""

from uuid import uuid4

import pytest
from django.conf import settings

from consent.pseudonyms import subject_ref
from model_registry.models import ModelVersion
from oversight.models import WorkItem
from personalization import tasks
from personalization.models import RetrainingDue, TrainingMember
from personalization.training_sets import retraining
from privacy.rights.stores import seam
from tests.helpers import models
from tests.privacy.rights.erasure.conftest import answer_of, erased

pytestmark = pytest.mark.django_db
REF = subject_ref("yes-3")


def test_a_version_names_whom_it_learnt_from(trained, people):
    assert TrainingMember.objects.filter(version=trained).count() == 25
    [row] = seam.find("model_training").export(REF)
    assert (row["version__model__slug"], row["version__version"]) == ("house-recommender", 1)
    assert len(row["touches"]) == 6 + 4  # features
    assert seam.find("model_training").count(uuid4()) == 0


def test_an_erasure_lists_the_models_and_makes_a_training_due(trained):
    models.go_live(trained)

    answer = answer_of(erased(REF))

    assert answer["models"] == ["house-recommender@1"]
    assert not TrainingMember.objects.filter(subject_ref=REF).exists()
    assert RetrainingDue.objects.get(version=trained).erased == 1
    item = WorkItem.objects.get(kind=retraining.RETRAIN.slug, object=str(trained.pk))
    assert "1 who were erased since" in retraining.RETRAIN.describe(item.object)

    tasks.retrain_after_erasures()

    newest = ModelVersion.objects.get(version=2)
    assert TrainingMember.objects.filter(version=newest).count() == 24
    assert not retraining.is_due()
    tasks.retrain_after_erasures()  # once
    assert ModelVersion.objects.count() == 2


def test_the_work_ends_when_the_old_version_serves_no_longer(trained):
    models.go_live(trained)
    erased(REF)
    retraining.close_work()
    item = WorkItem.objects.get(kind=retraining.RETRAIN.slug)
    assert item.state in WorkItem.OPEN_STATES

    models.take(trained, "retired")
    retraining.close_work()

    item.refresh_from_db()
    assert (item.state, item.outcome) == (WorkItem.State.DONE, "retired")
    assert not retraining.is_due()


def test_by_the_nightly_policy_nothing_is_trained_at_once(trained, monkeypatch):
    monkeypatch.setattr(settings, "RETRAIN_AFTER_ERASURE", "nightly")
    erased(REF)

    tasks.retrain_after_erasures()

    assert ModelVersion.objects.count() == 1
    assert retraining.is_due()
    tasks.train_recommender()
    assert not retraining.is_due()


def test_whom_no_model_learnt_from_makes_none_due(trained):
    assert answer_of(erased(subject_ref("someone-else")))["models"] == []
    assert not RetrainingDue.objects.exists()
