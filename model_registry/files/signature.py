"""Detached signature of a version: its name and number, its artifact's digest, what it was trained on, its figures.

It is made once, when the version is registered, by the key that signs evidence. Write access to the register or the
folder of models, without the key, cannot put another file in the place of one that was registered.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from audit import jws, signing
from audit.jws import NotGenuine
from audit.models import AuditEvent
from common import policy_data
from common.canonical import sha256
from model_registry.models import ModelFile, ModelVersion

TYPE = "assent-model-version"
_FORMAT = 1


@dataclass(frozen=True)
class Statement:
    """What was signed of a version. ``metrics_sha256`` is empty where a release without signatures registered it."""

    model: str
    version: int
    artifact_sha256: str
    trained_on: str
    metrics_sha256: str
    files: Mapping[str, str]


def sign(version: ModelVersion, files: Mapping[str, str], *, metrics_sha256: str) -> str:
    """Return the signature of a version. ``files``: digests of its other files by kind."""
    statement = {
        "format": _FORMAT,
        "model": version.model.slug,
        "version": version.version,
        "artifact_sha256": version.artifact_sha256,
        "trained_on": version.metrics.get("data_sha256", ""),
        "metrics_sha256": metrics_sha256,
        "files": dict(files),
    }
    return signing.sign(json.dumps(statement, sort_keys=True).encode(), typ=TYPE)


def digest_of_metrics(metrics: Mapping[str, Any]) -> str:
    return sha256(json.dumps(metrics, sort_keys=True).encode()).hex()


def read(token: str) -> Statement:
    """Return what a signature says. Raises NotGenuine for one that no key of this installation made."""
    payload, kid = jws.verify(token, typ=TYPE)
    if not _is_ours(kid):
        raise NotGenuine("The key that signed the version is none of this installation.")
    said = json.loads(payload)
    if said.pop("format", None) != _FORMAT:
        raise NotGenuine("The signature is of a format that this release does not read.")
    return Statement(**said)


def require(token: str, *, model: str, version: int, artifact_sha256: str) -> Statement:
    """Return what was signed of a version whose artifact has this digest. Raises NotGenuine with the reason."""
    if not token:
        raise NotGenuine("The version is not signed.")
    said = read(token)
    if (said.model, said.version) != (model, version):
        raise NotGenuine("The signature is of another version.")
    if said.artifact_sha256 != artifact_sha256:
        raise NotGenuine("The signature is of another artifact.")
    return said


@transaction.atomic
def sign_existing() -> int:
    """Sign versions that a release without signatures registered, as the audit trail says; return how many.

    One whose digest is not that of its registration stays unsigned, so it is not served.
    """
    unsigned = ModelVersion.objects.filter(signature="").exclude(artifact_sha256="")
    if not unsigned.exists():
        return 0
    policy_data.take_turn()
    signed = [version for version in unsigned.select_related("model") if _is_as_registered(version)]
    for version in signed:
        version.signature = sign(version, {}, metrics_sha256="")
        version.save(update_fields=["signature"])
        _note_artifact(version)
    if any(version.status in ModelVersion.IN_BUNDLE for version in signed):
        policy_data.changed(reason="signatures of models", actor="system")
    return len(signed)


def _is_as_registered(version: ModelVersion) -> bool:
    """Return whether the audit trail says of the registration of a version what its row says."""
    events = AuditEvent.objects.filter(action="model.registered", object=str(version))
    said = events.order_by("-position").values_list("details__artifact_sha256", flat=True).first()
    return said is not None and said == version.artifact_sha256


def _note_artifact(version: ModelVersion) -> None:
    digest = version.artifact_sha256
    said = {"path": version.artifact, "sha256": digest, "current_sha256": digest, "made_at": version.created_at}
    if version.artifact:
        ModelFile.objects.get_or_create(version=version, kind=ModelFile.Kind.ARTIFACT, defaults=said)


def _is_ours(kid: str) -> bool:
    """Return whether the key is one of this installation; each that is is asked for once in a process."""
    if kid not in _known:
        _known.update(key.kid for key in signing.own_keys())
    return kid in _known


_known: set[str] = set()
