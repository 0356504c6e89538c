"""Model rollouts as a kind of rollout: how a share is put in force, and how a candidate goes.

Status and share stand with the version, so they are in the bundle: a step, its row and the revision that says it are
one transaction, and a roll-back is in force at the next request in every process and both engines.
"""

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from common import policy_data
from common.canonical import digest_of
from model_registry import services
from model_registry.models import ModelVersion
from oversight import guard
from oversight.approvals import subjects
from oversight.approvals.subjects import Subject
from oversight.rollouts import service as steps
from oversight.rollouts.kinds import Kind
from oversight.work import items
from oversight.work.kinds import Kind as WorkKind
from personalization.rollouts.models import MOST_SHARE, ModelRollout

Status = ModelVersion.Status
State = ModelRollout.State
VIEW, ACT = "personalization.view_modelrollout", "model_registry.change_modelversion"


def of_rollout(rollout: ModelRollout) -> Subject:
    """Return a rollout as what a second officer approves: its file, for more people than its share is of now."""
    seen = {
        "rollout": rollout.pk,
        "version": str(rollout.version),
        "artifact_sha256": rollout.version.artifact_sha256,
        "status": rollout.version.status,
        "share": rollout.share,
    }
    return Subject(
        kind=ROLLOUT.slug,
        key=str(rollout.pk),
        digest=digest_of(seen).hex(),
        title=f"Rollout of model {rollout.version}",
        author=rollout.started_by,
        account=rollout.started_account,
        reason=rollout.reason,
        trail_object=str(rollout.version),
    )


def _load(key: str) -> ModelRollout:
    return ModelRollout.objects.select_related("version__model").get(pk=key)


def _url(key: str) -> str:
    return reverse("model-rollout", args=[key])


ROLLOUT = subjects.Kind(
    slug="model_rollout",
    noun="rollout",
    right=ACT,
    load=lambda key: of_rollout(_load(key)),
    url=_url,
    waits="Rollout of a model to approve",
)
ROLLED_BACK = WorkKind(
    slug="model-rolled-back",
    title="A model was rolled back by itself",
    due=timedelta(days=1),
    permission=ACT,
    url=_url,
    describe=lambda key: f"{_load(key).version}: {_load(key).why}",
    severity="now",
)


def running() -> list[ModelRollout]:
    return list(ModelRollout.objects.select_related("version__model", "live__model").filter(state=State.OPEN))


def _put(rollout: ModelRollout, step: str, actor: str) -> None:
    rollout.share_set_at = timezone.now()
    rollout.save(update_fields=["share_set_at"])
    with guard.writing("rollout"):
        services.set_canary_share(_locked(rollout), rollout.share)
    policy_data.changed(reason=f"model {rollout.version} {step} to {rollout.share / 100:g} %", actor=actor)


def _take_out(rollout: ModelRollout, actor: str, figures: dict[str, Any] | None) -> None:
    """Move the version on: to live where the rollout is completed, else back to approved; and give an officer work."""
    if figures is not None:
        rollout.figures = figures
        rollout.save(update_fields=["figures"])
    version = _locked(rollout)
    if version.status == Status.CANARY:  # else an officer moved it, which is why the rollout ends
        after = Status.LIVE if rollout.state == State.COMPLETED else Status.APPROVED
        with guard.writing("rollout"):
            services.move(version, after, actor=actor, rollout=rollout.pk)
        policy_data.changed(reason=f"model {version} {after}", actor=actor)
    if rollout.state == State.ROLLED_BACK:
        items.open_item(ROLLED_BACK.slug, str(rollout.pk), actor=actor)


def _locked(rollout: ModelRollout) -> ModelVersion:
    return ModelVersion.objects.select_for_update(of=("self",)).select_related("model").get(pk=rollout.version_id)


KIND = Kind(
    slug=ROLLOUT.slug,
    take_turn=policy_data.take_turn,
    running=running,
    subject=of_rollout,
    put=_put,
    take_out=_take_out,
    most=MOST_SHARE,
)


def follow(version: ModelVersion, status: str, actor: str) -> None:
    """End a rollout whose canary was moved, or whose live version is another or none: it was compared with that."""
    for rollout in running():
        if rollout.version_id == version.pk and status != Status.CANARY:
            why = f"The version became {version.get_status_display().lower()}."
            steps.end(KIND, rollout, State.STOPPED, actor=actor, why=why)
        elif _is_beside(rollout, version) and (status == Status.LIVE or version.pk == rollout.live_id):
            why = f"Version {version.version} of the same model became {version.get_status_display().lower()}."
            steps.end(KIND, rollout, State.OVERTAKEN, actor=actor, why=why)


def _is_beside(rollout: ModelRollout, version: ModelVersion) -> bool:
    return rollout.version.model_id == version.model_id and rollout.version_id != version.pk
