"""A version serves under a signature of this installation over its name, number and digest, and under no other."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from audit import jws
from common import policy_data
from model_registry.files import signature
from model_registry.models import ModelFile, ModelVersion
from personalization import engine
from personalization.recommender import storage
from policies.models import ActiveBundle
from tests.audit.test_signing_keys import planted_key
from tests.helpers import models

pytestmark = pytest.mark.django_db


@pytest.fixture
def liked(remember, shop, api):
    api.save("customer-1", "give")
    remember("customer-1", [item.id for item in shop.items[:5]])


def _publish(version, **columns):
    """Write columns as someone with the database could, and bring a bundle into force that says so."""
    ModelVersion.objects.filter(pk=version.pk).update(**columns)
    models.with_evidence(ModelVersion.objects.get(pk=version.pk))
    policy_data.changed(reason="test", actor="test")


def _payload(version, **changes):
    said = json.loads(jws.decode(version.signature.split(".")[1]))
    return json.dumps({**said, **changes}).encode()


def test_a_version_is_signed_with_what_it_was_trained_on(draft):
    said = signature.read(draft.signature)

    assert (said.model, said.version, said.artifact_sha256) == ("house-recommender", 1, draft.artifact_sha256)
    assert said.metrics_sha256 == signature.digest_of_metrics(draft.metrics)
    [file] = draft.files.all()
    assert (file.kind, file.path, file.is_whole) == (ModelFile.Kind.ARTIFACT, draft.artifact, True)


def test_a_signed_version_serves(ask, liked, deployed):
    answer = ask()

    assert (answer["model"], answer.get("fallback")) == ("house-recommender@1", None)


def _unsigned(version, _trained):
    return {"signature": ""}


def _signed_by_another(version, _trained):
    return {"signature": jws.sign(_payload(version), Ed25519PrivateKey.generate(), typ=signature.TYPE)}


def _signed_by_a_planted_key(version, _trained):
    """A key of an attacker with the database: its row is there, and neither secret nor trail know it."""
    return {"signature": jws.sign(_payload(version), planted_key(), typ=signature.TYPE)}


def _of_another_version(version, _trained):
    other = ModelVersion(model=version.model, version=2, artifact_sha256=version.artifact_sha256)
    return {"signature": signature.sign(other, {}, metrics_sha256="")}


def _of_another_model(version, _trained):
    other = ModelVersion(model=type(version.model)(slug="other"), version=1, artifact_sha256=version.artifact_sha256)
    return {"signature": signature.sign(other, {}, metrics_sha256="")}


def _of_another_kind(version, _trained):
    token = signature.signing.sign(_payload(version), typ="assent-receipt")
    return {"signature": token}


def _changed_text(version, _trained):
    head, _, tail = version.signature.split(".")
    return {"signature": f"{head}.{jws.encode(_payload(version, trained_on='0' * 64))}.{tail}"}


def _another_artifact(_version, trained):
    """Another valid model, saved and registered by hand: its digest is right, its signature is of the first."""
    at = datetime(2026, 5, 1, tzinfo=UTC)
    manifest = storage.save(trained, Path(settings.MODEL_DIR), engine.MODEL_SLUG, uuid4().hex, created=at)
    return {"artifact": f"{manifest.name}-{manifest.version}", "artifact_sha256": manifest.digest}


@pytest.mark.parametrize(
    "lie",
    [
        _unsigned, _signed_by_another, _signed_by_a_planted_key,
        _of_another_version, _of_another_model, _of_another_kind, _changed_text,
        _another_artifact,
    ],
)  # fmt: skip
def test_a_version_whose_signature_is_not_of_it_is_not_served(ask, liked, deployed, trained_model, lie):
    _publish(deployed, **lie(deployed, trained_model))

    answer = ask()

    assert (answer["fallback"], answer["permitted_level"]) == ("model_unusable", "individual")


def test_versions_of_an_older_release_are_signed_once_as_the_trail_says(ask, liked, deployed):
    _publish(deployed, signature="")
    assert ask()["fallback"] == "model_unusable"

    assert (signature.sign_existing(), signature.sign_existing()) == (1, 0)

    assert json.loads(ActiveBundle.objects.get().bundle.data)["models"]["house-recommender@1"]["signature"]
    assert ask()["model"] == "house-recommender@1"


def test_an_older_version_with_another_digest_than_its_registration_stays_unsigned(deployed):
    ModelVersion.objects.filter(pk=deployed.pk).update(signature="", artifact_sha256="0" * 64)

    assert signature.sign_existing() == 0
