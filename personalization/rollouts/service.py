"""Steps of a model rollout that are its own: start, finish, and the look at a roll-back."""

from dataclasses import asdict
from datetime import datetime

import msgspec
from django.db import transaction

from common import actors, policy_data
from common.http.problems import Conflict
from common.rollouts.limits import Breach
from model_registry import services
from model_registry.gates import outcome as gates
from model_registry.gates.findings import PASSED
from model_registry.models import ModelVersion
from oversight import guard
from oversight.approvals import steps as rows
from oversight.approvals import subjects
from oversight.problems import ChangeRefused, NotNow
from oversight.rollouts import service as steps
from oversight.rollouts.watch import Look
from oversight.work import items
from personalization import engine
from personalization.rollouts import figures
from personalization.rollouts.guards import ModelGuards, judge, read_guards
from personalization.rollouts.kind import KIND, ROLLED_BACK, State, of_rollout, running
from personalization.rollouts.models import ModelRollout

_NO_GUARDS = ModelGuards()
Status = ModelVersion.Status


@transaction.atomic
def start(version_id: int, *, actor: str, reason: str, guards: ModelGuards = _NO_GUARDS) -> ModelRollout:
    """Compare an approved version with the live one as a shadow; it serves no person, so one officer may start it.

    Raises StatusNotPossible, GatesNotPassed, Conflict, ChangeRefused.
    """
    if not reason.strip():
        raise ChangeRefused("Say why the version is rolled out.")
    policy_data.take_turn()
    version = ModelVersion.objects.select_for_update(of=("self",)).select_related("model").get(pk=version_id)
    live = _live_beside(version)
    rollout = ModelRollout.objects.create(
        version=version,
        live=live,
        started_by=str(actor)[:120],
        started_account=actors.account_of(actor),
        reason=reason[:200],
        guards=msgspec.to_builtins(guards),
    )
    with guard.writing("rollout"):
        services.begin_canary(version, rollout.pk, actor=actor)
    policy_data.changed(reason=f"model {version} canary", actor=actor)
    subject = of_rollout(rollout)
    details = {"guards": steps.in_words(rollout.guards), "live": str(live)}
    rows.record(subject, steps.STARTED, actor=actor, note=reason[:200], details=details)
    subjects.ask(subject, actor=actor)
    return rollout


def _live_beside(version: ModelVersion) -> ModelVersion:
    """Return the live version that a candidate is compared with. Raises Conflict, ChangeRefused."""
    if version.model.slug != engine.MODEL_SLUG:
        raise ChangeRefused("Only the recommender of this installation has figures that guards could judge.")
    if any(rollout.version.model_id == version.model_id for rollout in running()):
        raise Conflict("Another version of this model is rolled out. Finish or stop that first.")
    live = services.live_version(version.model.slug)
    if live is None:
        raise Conflict("No version is live, so there is nothing to compare with. Make this version live instead.")
    lacking = set(live.purposes.values_list("slug", flat=True)) - set(version.purposes.values_list("slug", flat=True))
    if lacking:
        named = ", ".join(sorted(lacking))
        raise ChangeRefused(f"The live version serves more purposes: {named}. People in the share would lose them.")
    _refuse_unusable(version)
    return live


def _refuse_unusable(version: ModelVersion) -> None:
    stored = {
        "id": version.model.slug,
        "version": version.version,
        "artifact": version.artifact,
        "artifact_sha256": version.artifact_sha256,
        "signature": version.signature,
    }
    try:
        engine.load_stored(str(version), stored)
    except engine.EngineFailed:
        raise ChangeRefused("The file of this version is missing, not the approved one, or not signed.") from None


def finish(rollout_id: int, *, actor: str, seen: str = "") -> ModelRollout:
    """Make the candidate live and end the rollout: takes another officer than the one who began it.

    Raises SecondOfficerNeeded, Outdated, Conflict, GatesNotPassed.
    """
    with transaction.atomic():
        rollout = steps.running(KIND, rollout_id)
        rollout.approval = steps.approve(KIND, rollout, actor=actor, seen=seen, reason="live")
        rollout.save(update_fields=["approval"])
        steps.end(KIND, rollout, State.COMPLETED, actor=actor, why=rollout.reason)
        return rollout


@transaction.atomic
def acknowledge(rollout_id: int, *, actor: str, reason: str) -> None:
    """Close the work that a roll-back left to an officer. Raises NotNow, ChangeRefused."""
    if not reason.strip():
        raise ChangeRefused("Say what was found, and what happens to the version.")
    rollout = ModelRollout.objects.select_related("version__model").get(pk=rollout_id)
    item = items.find_open(ROLLED_BACK.slug, str(rollout_id))
    if item is None:
        raise NotNow("No roll-back waits for a look.")
    rows.record(of_rollout(rollout), "looked_at", actor=actor, note=reason)
    items.finish(item, actor=actor, outcome=reason)


def waits_for_look(rollout: ModelRollout) -> bool:
    """Return whether no officer has looked at a roll-back yet."""
    return items.find_open(ROLLED_BACK.slug, str(rollout.pk)) is not None


def look(rollout: ModelRollout, now: datetime) -> Look:
    """Count the answers of both sides and judge them: the source of the guards' figures."""
    guards = read_guards(rollout.guards)
    counted = figures.figures_of(rollout, guards, now=now)
    return Look(_gates(rollout, now) or judge(guards, counted), asdict(counted))


def _gates(rollout: ModelRollout, now: datetime) -> Breach | None:
    """Return the gates that a candidate passes no longer; it serves no person since they ended."""
    outcome = gates.of(rollout.version, now)
    if outcome.state == PASSED:
        return None
    missing = " ".join(line.finding.why for line in outcome.missing)
    return Breach("gates", f"The candidate does not pass its release gates any more: {missing}")


# Those of every rollout, for callers of this module.
def set_share(rollout_id: int, share: int, *, actor: str, seen: str = "") -> ModelRollout:
    """Let the candidate serve ``share`` ten-thousandths of the people, half of them at most."""
    return steps.set_share(KIND, rollout_id, share, actor=actor, seen=seen)


def stop(rollout_id: int, *, actor: str, reason: str) -> ModelRollout:
    """End the rollout: the live version serves all people from the next request on. Takes one officer."""
    return steps.stop(KIND, rollout_id, actor=actor, reason=reason)
