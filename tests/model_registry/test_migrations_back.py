"""Back to the release before, and up again, with versions in every status: nothing serves that did not."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from consent.models import Purpose
from model_registry import services
from model_registry.models import ModelVersion
from tests.helpers.registers import without_writer

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]
STATUSES = ("approved", "retired", "draft", "suspended", "live", "in_review", "approved", "canary")


@pytest.fixture
def versions(register_in_force: None) -> Iterator[None]:
    model = services.register_model("house", name="House", description="")
    purposes = list(Purpose.objects.filter(slug="recommendations"))
    for status in STATUSES:
        version = services.register_version(
            model=model, purposes=purposes, actor="test", artifact="house-1", artifact_sha256="5e" * 32
        )
        rollout = 1 if status == "canary" else None
        ModelVersion.objects.filter(pk=version.pk).update(status=status, canary_rollout=rollout)
    yield
    _migrate()


def _migrate(*target: str) -> list[str]:
    with without_writer():
        call_command("migrate", *target, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM model_registry_modelversion ORDER BY version")
        return [status for (status,) in cursor.fetchall()]


def test_back_and_up_again(versions: None) -> None:
    back = ["approved", "retired", "draft", "suspended", "approved", "draft", "draft", "draft"]
    assert _migrate("model_registry", "0005") == back

    up = _migrate()

    assert up == ["approved", "retired", "draft", "suspended", "live", "draft", "draft", "draft"]
