"""Pause, resume and stop retention runs: one of them, or all by the switch. Each takes effect before the next batch."""

from uuid import UUID

from django.db import transaction

from audit import trail
from common.http.problems import Conflict
from privacy.models import DeletionSwitch, Disposal

Status = Disposal.Status
_FROM = {
    Status.PAUSED: (Status.QUEUED, Status.RUNNING),
    Status.QUEUED: (Status.PAUSED,),
    Status.STOPPED: (Status.QUEUED, Status.RUNNING, Status.PAUSED),
}


class NotNow(Conflict):
    code = "run_not_open"
    title = "The deletion run is not in a state that allows this"


def pause(run: UUID, *, actor: str) -> Disposal:
    """Rest a retention run until it is resumed. Raises NotNow."""
    return _move(run, Status.PAUSED, "disposal.paused", actor)


def resume(run: UUID, *, actor: str) -> Disposal:
    """Go on with a paused run where it rested. Raises NotNow."""
    from privacy.retention import disposal

    resumed = _move(run, Status.QUEUED, "disposal.resumed", actor)
    disposal.hand_over_long(resumed)
    return resumed


def stop(run: UUID, *, actor: str, reason: str) -> Disposal:
    """End a retention run for good; the manifest says what it had removed. Raises NotNow."""
    from privacy.retention import disposal

    with transaction.atomic():
        stopped = _move(run, Status.STOPPED, "disposal.stopped", actor, reason=reason)
        disposal.seal_stopped(stopped)
    return stopped


@transaction.atomic
def _move(run: UUID, status: Disposal.Status, action: str, actor: str, reason: str = "") -> Disposal:
    found = Disposal.objects.select_for_update(of=("self",)).select_related("purpose").get(pk=run)
    if found.reason != Disposal.Reason.RETENTION:
        raise NotNow("A deletion that follows a withdrawal is owed to a person and cannot be held up.")
    if found.status not in _FROM[status]:
        raise NotNow(f"The run is {found.get_status_display().lower()}.")
    found.status, found.why_stopped = status, reason
    found.save(update_fields=["status", "why_stopped"])
    details = {"disposal": str(found.id), "removed": found.removed, "reason": reason}
    trail.record(action, found.about, actor=actor, details=details)
    return found


def is_switched_off() -> bool:
    """Return whether the switch stops every retention run."""
    return DeletionSwitch.objects.exists()


@transaction.atomic
def switch_off(*, actor: str, reason: str) -> None:
    """Stop every retention run before its next batch, and let none begin."""
    _, is_new = DeletionSwitch.objects.get_or_create(pk=1, defaults={"actor": actor, "reason": reason})
    if is_new:
        trail.record("retention.switched_off", "retention", actor=actor, details={"reason": reason})


@transaction.atomic
def switch_on(*, actor: str) -> None:
    """Lift the switch; what was open goes on within a minute."""
    removed, _ = DeletionSwitch.objects.filter(pk=1).delete()
    if removed:
        trail.record("retention.switched_on", "retention", actor=actor)
