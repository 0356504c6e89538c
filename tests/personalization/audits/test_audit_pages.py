"""Audits on the page: the panel of a version, the page of its audits, who may ask, what is downloaded."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from audit import jws
from model_registry.models import ModelVersion
from model_registry.pages import panels
from personalization.audits import running
from personalization.models import AuditRun
from tests.helpers import audited
from tests.personalization.audits.conftest import Register, sound

pytestmark = pytest.mark.django_db


def officer(client: Client, *rights: str) -> Client:
    user = User.objects.create_user(f"officer-{len(rights)}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)
    return client


@pytest.fixture
def owner(client: Client) -> Client:
    return officer(client, "view_modelversion", "view_auditrun", "add_auditrun")


def page(client: Client, version: ModelVersion) -> str:
    answer = client.get(reverse("model-audits", args=[version.pk]))
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_version_that_was_not_audited_says_so(version: ModelVersion, owner: Client) -> None:
    assert "has not been audited yet" in page(owner, version)
    assert reverse("model-audits", args=[version.pk]) in panels.drawn(version)


def test_slices_scores_and_age_are_drawn_with_their_numbers(
    version: ModelVersion, owner: Client, recorded_case: None
) -> None:
    running.run_now(version, author="officer:first")

    html = page(owner, version)

    for title in ("Quality by group of people", "Scores of people's own items", "Quality by the model's age"):
        assert title.replace("'", "&#x27;") in html
    assert html.count("Show the numbers") == 3
    assert "region=US" in html
    assert "one-topic" in html
    assert "Items that fake profiles promote" in html
    assert "Genuine" in html
    assert "<svg" in panels.drawn(version)
    assert " style=" not in html.split("<main")[-1]


def test_a_document_that_was_changed_is_said_to_be(version: ModelVersion, owner: Client) -> None:
    row = running.run_now(version, author="officer:first", only=["bias"])
    row.document["results"]["bias"]["figures"]["worst_at_most"] = 7  # type: ignore[index]
    row.save()

    assert "Not genuine" in page(owner, version)


def test_the_results_are_of_the_file_that_is_registered(version: ModelVersion, owner: Client) -> None:
    running.run_now(version, author="officer:first", only=["bias"])
    ModelVersion.objects.filter(pk=version.pk).update(artifact_sha256="5e" * 32)

    assert "has not been audited yet" in page(owner, version)


def test_an_officer_asks_for_some_audits(version: ModelVersion, owner: Client) -> None:
    answer = owner.post(reverse("model-audits", args=[version.pk]), {"audits": ["leak", "bias"]}, follow=True)

    row = AuditRun.objects.get()
    assert (row.audits, row.state, row.author) == (["bias", "leak"], "waiting", "officer:officer-3")
    assert "wait for a worker" in answer.content.decode()


def test_progress_is_shown(version: ModelVersion, owner: Client) -> None:
    row = running.request(version, author="officer:first")
    AuditRun.objects.filter(pk=row.pk).update(state="running", step="leak", steps_done=2)

    assert '<progress class="sim-progress" max="100" value="33"' in page(owner, version)


def test_who_may_only_look_asks_for_nothing(version: ModelVersion, client: Client) -> None:
    viewer = officer(client, "view_auditrun")

    assert "Run audits" not in page(viewer, version)
    assert viewer.post(reverse("model-audits", args=[version.pk])).status_code == 403
    assert not AuditRun.objects.exists()


def test_who_may_not_look_sees_nothing(version: ModelVersion, client: Client) -> None:
    nobody = officer(client)

    assert nobody.get(reverse("model-audits", args=[version.pk])).status_code == 403


def test_an_unknown_audit_is_refused(version: ModelVersion, owner: Client) -> None:
    answer = owner.post(reverse("model-audits", args=[version.pk]), {"audits": ["luck"]}, follow=True)

    assert "There is no audit “luck”" in answer.content.decode()
    assert not AuditRun.objects.exists()


def test_the_document_is_downloaded_with_its_signature(version: ModelVersion, owner: Client) -> None:
    row = running.run_now(version, author="officer:first", only=["bias"])

    answer = owner.get(reverse("model-audit-file", args=[row.pk]))

    document: dict[str, Any] = json.loads(answer.content)
    payload, _key = jws.verify(document.pop("signature"), typ=running.TYP)
    assert json.loads(payload) == document
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_slice_that_is_proven_to_be_served_worse_is_marked(register: Register, owner: Client) -> None:
    version = register(audited.biased(sound()))
    running.run_now(version, author="officer:first", only=["bias"])

    assert "chart-tone-alarm" in page(owner, version)
