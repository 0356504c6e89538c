"""Retention on the shell: what is due, plans, runs with their progress, pause, stop, undo."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.http.problems import Problem
from oversight.approvals import subjects
from oversight.officers.accounts import officer
from privacy.models import DeletionPlan, Disposal, RetentionSchedule
from privacy.retention import control, disposal, plans, progress, restoring, schedules
from privacy.retention.data_sets import conflicts, contracts
from privacy.retention.subjects import APPROVE, CONTROL, of_undo
from privacy.scrub import scrubbing

_LOOK_AGAIN_S = 1.0
_SHELL = "operator"


class Command(BaseCommand):
    help = (
        "Retention: without a word, plan what is due and queue what nothing blocks. 'plan SCHEDULE' makes a plan for"
        " another officer to approve; 'approve' and 'refuse' PLAN as an officer; 'contracts FILE' notes whose contract"
        " ended; 'status [RUN]' shows runs; 'pause', 'resume' and 'stop' RUN; 'undo' RUN proposes its undo, or approves"
        " it as another officer and carries it out; 'off' and 'on' for every run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count; change nothing.")
        parser.add_argument("what", nargs="?", choices=list(_ACTIONS), help="What to do instead of the nightly run.")
        parser.add_argument("which", nargs="?", help="A schedule (plan), a file (contracts), or an identifier.")
        parser.add_argument("--as", dest="person", metavar="NAME", help="The officer whose act it is.")
        parser.add_argument("--reason", default="", help="Why: for 'refuse', 'stop', 'undo' and 'off'.")
        parser.add_argument("--follow", action="store_true", help="With 'status': show progress until the run ends.")

    def handle(self, *args: Any, what: str | None, **options: Any) -> None:
        try:
            _ACTIONS[what](self, options) if what else self._nightly(dry_run=options["dry_run"])
        except Problem as exc:
            raise CommandError(exc.detail) from exc

    def _nightly(self, *, dry_run: bool) -> None:
        due = schedules.due()
        if not due:
            self.stdout.write("There is no retention schedule. Make one in the admin under Data and retention.")
        for item in due:
            self.stdout.write(_line(item))
            for reason in conflicts.state(item.schedule).reasons:
                self.stdout.write(f"  {reason}")
        if dry_run:
            self.stdout.write(f"Dry run: {sum(item.total for item in due)} rows would be deleted. Nothing was changed.")
            return
        queued = disposal.queue_for_retention(actor=_SHELL)
        waiting = DeletionPlan.objects.filter(state=DeletionPlan.State.PROPOSED).count()
        if waiting:
            self.stdout.write(f"Plans that wait for an officer: {waiting}.")
        self.stdout.write(f"{len(queued)} deletions queued; a worker carries them out.")

    def _plan(self, options: dict[str, Any]) -> None:
        slug = options["which"] or ""
        schedule = schedules.ending().filter(slug=slug).first()
        if schedule is None:
            raise CommandError(f"There is no retention schedule {slug or 'of that name'} in use.")
        plan = plans.make(schedule, actor=_SHELL)
        for name, found in plan.document["data_sets"].items():
            share = 100 * found["due"] / found["stored"] if found["stored"] else 0
            self.stdout.write(
                f"{name}: {found['due']:,} of {found['stored']:,} rows ({share:.0f} %) {_until(schedule, plan.before)};"
                f" {found['held']:,} under a hold and {found['kept_by_law']:,} of a legal minimum stay"
            )
        self.stdout.write(f"Plan {plan.id}, SHA-256 {plan.digest}. An officer approves it under Deletion plans.")

    def _approve(self, options: dict[str, Any]) -> None:
        plan = self._found_plan(options)
        approved = plans.approve(plan, actor=self._officer(options), seen=plan.digest, reason=options["reason"])
        disposal.queue_plan(approved)
        self.stdout.write(f"Plan {plan.id}, SHA-256 {plan.digest}, is approved and its run is queued.")

    def _refuse(self, options: dict[str, Any]) -> None:
        plan = self._found_plan(options)
        plans.refuse(plan, actor=self._officer(options), seen=plan.digest, reason=options["reason"])
        self.stdout.write(f"Plan {plan.id} is refused: nothing of it is deleted.")

    def _status(self, options: dict[str, Any]) -> None:
        if control.is_switched_off():
            self.stdout.write("Retention runs are switched off: nothing is deleted for its age.")
        if options["which"] is None:
            self.stdout.write(_scrubbed())
            for each in Disposal.objects.filter(reason="retention").select_related("purpose", "plan")[:20]:
                self.stdout.write(progress.line(each))
            return
        found = self._run(options)
        self.stdout.write(progress.line(found))
        while options["follow"] and found.status in Disposal.OPEN:
            time.sleep(_LOOK_AGAIN_S)
            found = self._run(options)
            self.stdout.write(progress.line(found))

    def _pause(self, options: dict[str, Any]) -> None:
        self.stdout.write(progress.line(control.pause(self._run(options).id, actor=_SHELL)))

    def _resume(self, options: dict[str, Any]) -> None:
        self.stdout.write(progress.line(control.resume(self._run(options).id, actor=_SHELL)))

    def _stop(self, options: dict[str, Any]) -> None:
        reason = self._reason(options)
        self.stdout.write(progress.line(control.stop(self._run(options).id, actor=_SHELL, reason=reason)))

    def _undo(self, options: dict[str, Any]) -> None:
        found = self._run(options)
        subject = of_undo(found)
        if subjects.waits_for_approval(subject):
            restoring.approve(found.id, actor=self._officer(options), seen=subject.digest, reason=options["reason"])
        elif restoring.approval_of(found) is None:
            restoring.propose(found.id, actor=self._proposer(options), reason=options["reason"])
            self.stdout.write("Proposed. Another officer approves it on the run's page, or by this command with --as.")
            return
        restored = restoring.undo_run(found.id)
        counts = ", ".join(f"{count:,} of {found.removed[name]:,} {name}" for name, count in restored.items())
        self.stdout.write(f"Restored: {counts}. The rest belongs to people who ended the permission since.")
        self.stdout.write("The key of the run was destroyed.")

    def _off(self, options: dict[str, Any]) -> None:
        control.switch_off(actor=_SHELL, reason=self._reason(options))
        self.stdout.write("Retention runs are switched off. 'retention on' lets them go on.")

    def _on(self, options: dict[str, Any]) -> None:
        control.switch_on(actor=_SHELL)
        self.stdout.write("Retention runs go on within a minute.")

    def _contracts(self, options: dict[str, Any]) -> None:
        try:
            noted, removed = contracts.note(Path(options["which"] or ""))
        except (contracts.Unreadable, OSError) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(f"{noted:,} ends of contracts noted, {removed:,} taken back.")

    def _run(self, options: dict[str, Any]) -> Disposal:
        try:
            return Disposal.objects.select_related("purpose", "plan").get(pk=UUID(options["which"] or ""))
        except (ValueError, Disposal.DoesNotExist) as exc:
            raise CommandError("There is no such run. 'retention status' lists them.") from exc

    def _found_plan(self, options: dict[str, Any]) -> DeletionPlan:
        try:
            return DeletionPlan.objects.select_related("purpose").get(pk=UUID(options["which"] or ""))
        except (ValueError, DeletionPlan.DoesNotExist) as exc:
            raise CommandError("There is no such plan. They are listed under Deletion plans.") from exc

    def _officer(self, options: dict[str, Any]) -> str:
        if options["person"] is None:
            raise CommandError("Say as whom: --as NAME.")
        return officer(options["person"], right=APPROVE)

    def _proposer(self, options: dict[str, Any]) -> str:
        """Return the officer who proposes; what only the shell does is no officer's."""
        return _SHELL if options["person"] is None else officer(options["person"], right=CONTROL)

    def _reason(self, options: dict[str, Any]) -> str:
        if not options["reason"].strip():
            raise CommandError("Say why: --reason TEXT.")
        return str(options["reason"])[:500]


def _line(item: schedules.Due) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in item.counts.items()) or "nothing stored"
    schedule = item.schedule
    kept = f"the last {schedule.keep_last}" if schedule.retain_for is None else f"{schedule.retain_for.days} days"
    return f"{schedule.slug}: kept {kept}; {_until(schedule, item.before)}: {counts}"


def _until(schedule: RetentionSchedule, before: datetime) -> str:
    """Word what is due: by when data was received, or by what else the time counts from."""
    if schedule.retain_for is None:
        return "beyond the window of each person"
    counted = "received" if schedule.trigger == "received" else schedule.get_trigger_display().lower()
    return f"{counted} before {before:%Y-%m-%d %H:%M}Z"


def _scrubbed() -> str:
    last = scrubbing.last_done()
    when = f"last scrubbed {last:%Y-%m-%d %H:%M}Z" if last else "never scrubbed"
    return f"The storage was {when}: what was deleted since is still in its files."


_ACTIONS = {
    "plan": Command._plan,  # noqa: SLF001
    "contracts": Command._contracts,  # noqa: SLF001
    "approve": Command._approve,  # noqa: SLF001
    "refuse": Command._refuse,  # noqa: SLF001
    "status": Command._status,  # noqa: SLF001
    "pause": Command._pause,  # noqa: SLF001
    "resume": Command._resume,  # noqa: SLF001
    "stop": Command._stop,  # noqa: SLF001
    "undo": Command._undo,  # noqa: SLF001
    "off": Command._off,  # noqa: SLF001
    "on": Command._on,  # noqa: SLF001
}
