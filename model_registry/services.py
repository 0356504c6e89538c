"""Change the register of models. A change of status is a new bundle revision, in force at the next decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.db.models import Max

from audit import trail
from common import policy_data
from common.http.problems import Conflict, Problem
from consent.models import Purpose
from model_registry import listeners
from model_registry.files import signature
from model_registry.files.models import ModelFile
from model_registry.gates import outcome
from model_registry.gates.findings import PASSED
from model_registry.models import GateDemand, Model, ModelVersion
from oversight import guard
from oversight.changes import applying, drafting
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet
from oversight.problems import SecondOfficerNeeded

Status = ModelVersion.Status


class StatusNotPossible(Conflict):
    code = "status_not_possible"
    title = "The model cannot take this status"


class GatesNotPassed(Conflict):
    code = "gates_not_passed"
    title = "The model has not passed its release gates"


class ArtifactGone(Conflict):
    code = "artifact_gone"
    title = "The file of the model was deleted"


class ModelOfOthers(Conflict):
    code = "model_of_others"
    title = "The model is registered by others"


class NoPurpose(Problem):
    status = HTTPStatus.CONFLICT
    code = "model_without_purpose"
    title = "A model needs a purpose before it can be approved"


@dataclass(frozen=True)
class Registration:
    """What a version of an engine elsewhere is known by: its owner's label, its endpoint, the registration's digest."""

    label: str = ""
    endpoint: str = ""
    sha256: bytes = b""


TRAINED_HERE = Registration()


@transaction.atomic
def register_model(slug: str, *, name: str, description: str, registrant: str = "") -> Model:
    """Return the entry of a model, made where there is none. Raises ModelOfOthers where another registers it.

    An entry that officers made belongs to whom registers its first version. The entry of a service is locked until the
    transaction ends.
    """
    made = {"name": name, "description": description, "registrant": registrant}
    with guard.writing("training"):
        entry = Model.objects.get_or_create(slug=slug, defaults=made)[0]
        if registrant:  # another service may be registering its first version
            entry = Model.objects.select_for_update().get(pk=entry.pk)
        if registrant and not entry.registrant and not entry.versions.exists():
            entry.registrant = registrant
            entry.save(update_fields=["registrant"])
    if entry.registrant != registrant:
        raise ModelOfOthers(f"The model “{slug}” is {'registered by others' if entry.registrant else 'trained here'}.")
    return entry


@transaction.atomic
def register_version(
    *,
    model: Model,
    purposes: Sequence[Purpose],
    actor: str,
    max_level: str = "individual",
    artifact: str = "",
    artifact_sha256: str = "",
    metrics: dict[str, Any] | None = None,
    files: Sequence[ModelFile] = (),
    registration: Registration = TRAINED_HERE,
) -> ModelVersion:
    """Add the next version of ``model`` as a draft, signed with its files. A number is never used again.

    Drafts are never served. ``files``: unsaved rows of what the version was trained and measured on. Where a gate asks
    whether trainings are late, the versions in use have another end now.
    """
    moves_gates = not model.registrant and GateDemand.objects.filter(gate="retraining", is_active=True).exists()
    if moves_gates:
        policy_data.take_turn()
    Model.objects.select_for_update().get(pk=model.pk)
    last = model.versions.aggregate(last=Max("version"))["last"] or 0
    with guard.writing("training"):
        version = ModelVersion.objects.create(
            model=model,
            version=last + 1,
            max_level=max_level,
            artifact=artifact,
            artifact_sha256=artifact_sha256,
            metrics=metrics or {},
            label=registration.label,
            endpoint=registration.endpoint,
            registered_sha256=registration.sha256,
        )
        version.purposes.set(purposes)
    details = {"purposes": sorted(p.slug for p in purposes), "artifact_sha256": artifact_sha256}
    if registration.label:
        details |= {"label": registration.label, "endpoint": registration.endpoint}
    trail.record("model.registered", str(version), actor=actor, details=details)
    _sign(version, files)
    if moves_gates:
        policy_data.changed(reason=f"model {version} trained", actor=actor)
    return version


def _sign(version: ModelVersion, files: Sequence[ModelFile]) -> None:
    """Keep the rows of a new version's files, and sign the version with their digests."""
    artifact = ModelFile(kind=ModelFile.Kind.ARTIFACT, path=version.artifact, sha256=version.artifact_sha256)
    for file in [*([artifact] if version.artifact else []), *files]:
        file.version, file.current_sha256 = version, file.sha256
        file.save(force_insert=True)
    if version.artifact_sha256:
        digests = {str(file.kind): file.sha256 for file in files}
        version.signature = signature.sign(
            version, digests, metrics_sha256=signature.digest_of_metrics(version.metrics)
        )
        version.save(update_fields=["signature"])


@transaction.atomic
def change_status(*, version_id: int, status: str, actor: str) -> ModelVersion:
    """Take a step that one officer may take, and publish the bundle that says so, in one transaction.

    Raises as ``move``, and SecondOfficerNeeded for a step that takes two: it is proposed as a change set.
    """
    policy_data.take_turn()
    version = ModelVersion.objects.select_for_update(of=("self",)).select_related("model").get(pk=version_id)
    if (version.status, status) in ModelVersion.SECONDED:
        raise SecondOfficerNeeded(
            f"A model that is {version.get_status_display().lower()} becomes {Status(status).label.lower()}"
            " by a change set that another officer approves."
        )
    with guard.writing("life cycle"):
        move(version, status, actor=actor)
    policy_data.changed(reason=f"model {version} {status}", actor=actor)
    return version


@transaction.atomic
def suspend_protectively(version: ModelVersion, *, reason: str, actor: str) -> ChangeSet | None:
    """Suspend a version as a set in force at once, which an officer looks at afterwards; None if it does not serve.

    For jobs that find out that a version must not go on serving. Two officers make it live again.
    """
    policy_data.take_turn()
    current = ModelVersion.objects.select_for_update(of=("self",)).select_related("model").get(pk=version.pk)
    if not current.serves:
        return None
    after = {
        "model": current.model.slug,
        "version": current.version,
        "status": Status.SUSPENDED.value,
        "approved_until": current.approved_until.isoformat() if current.approved_until else None,
    }
    proposed = [Proposed("model_status", f"{current.model.slug}/{current.version}", after)]
    change_set = drafting.draft(proposed, title=f"Model {current}: suspended", actor=actor, reason=reason)
    return applying.apply_protectively(change_set, actor=actor, reason=reason)


def move(version: ModelVersion, status: str, *, actor: str, **details: Any) -> None:
    """Move a locked version to ``status``. The caller has named the writer, and publishes.

    Raises StatusNotPossible for a step the life cycle does not have, NoPurpose, ArtifactGone and GatesNotPassed for a
    version that cannot serve.
    """
    before = version.status
    # A canary comes with a share and a rollout: ``begin_canary``.
    if status == Status.CANARY or not version.may_become(status):
        raise StatusNotPossible(f"A model that is {before} cannot become {status}.")
    # The way back from a canary is open whatever its gates say.
    if status == Status.LIVE or (status == Status.APPROVED and before != Status.CANARY):
        _refuse_unfit(version)
    stepped_back = _step_back(version, actor) if status == Status.LIVE else []
    if status in (Status.DRAFT, Status.IN_REVIEW):
        version.approved_until = None
    version.save(update_fields=[*version.take_status(status), "approved_until"])
    trail.record(f"model.{status}", str(version), actor=actor, details={"before": before, **details})
    for other in stepped_back:
        listeners.stepped(other, Status.APPROVED, actor)
    listeners.stepped(version, status, actor)


def begin_canary(version: ModelVersion, rollout: int, *, actor: str) -> None:
    """Put a locked, approved version next to the live one, serving no person yet. The caller publishes.

    Raises as ``move``.
    """
    if not version.may_become(Status.CANARY):
        raise StatusNotPossible(f"A model that is {version.status} cannot become canary.")
    _refuse_unfit(version)
    fields = version.take_status(Status.CANARY)
    version.canary_rollout = rollout
    version.save(update_fields=fields)
    trail.record("model.canary", str(version), actor=actor, details={"before": Status.APPROVED, "rollout": rollout})


def set_canary_share(version: ModelVersion, share: int) -> None:
    """Let a canary serve so many ten-thousandths of the people. The caller publishes, and has recorded the step."""
    version.canary_share = share
    version.save(update_fields=["canary_share"])


def _refuse_unfit(version: ModelVersion) -> None:
    if not version.purposes.exists():
        raise NoPurpose("Name at least one purpose this version may serve.")
    if gone := version.files.filter(kind=ModelFile.Kind.ARTIFACT, gone_at__isnull=False).first():
        raise ArtifactGone(f"Its file was deleted on {gone.gone_at:%Y-%m-%d}, as its record period says. Train anew.")
    found = outcome.of(version)
    if found.state != PASSED:
        raise GatesNotPassed(" ".join(line.finding.why for line in found.missing))


def _step_back(version: ModelVersion, actor: str) -> list[ModelVersion]:
    """Take the version that is live out of use: it stays approved, to be made live again. Return it."""
    others = list(version.model.versions.select_for_update().filter(status=Status.LIVE).exclude(pk=version.pk))
    for other in others:
        other.save(update_fields=other.take_status(Status.APPROVED))
        trail.record("model.approved", str(other), actor=actor, details={"before": "live", "for": str(version)})
    return others


def live_version(slug: str) -> ModelVersion | None:
    """Return the version of a model that serves."""
    return ModelVersion.objects.filter(model__slug=slug, status=Status.LIVE).select_related("model").first()
