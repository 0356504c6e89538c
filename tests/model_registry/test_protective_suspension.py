"""A job suspends a version at once; an officer looks at it afterwards, and two make it live again."""

import pytest

from consent.models import Purpose
from model_registry import services
from model_registry.models import Model, ModelVersion
from oversight.models import ChangeSet, WorkItem
from tests.helpers import models

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    purposes = list(Purpose.objects.filter(slug="recommendations"))
    entry = Model.objects.create(slug="basket", name="Basket")
    return services.register_version(model=entry, purposes=purposes, actor="test")


def test_a_live_version_is_suspended_as_a_set_that_waits_for_a_look(version: ModelVersion) -> None:
    models.go_live(version)

    done = services.suspend_protectively(version, reason="Bias audit: failed.", actor="job:audits")

    version.refresh_from_db()
    assert version.status == "suspended"
    change_set = ChangeSet.objects.get(pk=done.pk)
    assert (change_set.kind, change_set.state, change_set.author_name) == ("protective", "in_force", "job:audits")
    assert change_set.reason == "Bias audit: failed."
    assert WorkItem.objects.filter(kind="changes-review", object=str(done.pk)).count() == 1


def test_a_version_that_does_not_serve_is_left_as_it_is(version: ModelVersion) -> None:
    assert services.suspend_protectively(version, reason="Late.", actor="job:audits") is None

    version.refresh_from_db()
    assert version.status == "draft"
    assert not ChangeSet.objects.exists()
