"""Retention on the shell: what is due, plans, runs with their progress, pause, stop, undo."""

import time
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.http.problems import Problem
from privacy.models import DeletionPlan, Disposal, RetentionSchedule
from privacy.retention import control, disposal, plans, progress, restoring, schedules
from privacy.retention.undo import NoUndo
from privacy.scrub import scrubbing

_LOOK_AGAIN_S = 1.0
_SHELL = "operator"


class Command(BaseCommand):
    help = (
        "Retention: without a word, plan what is due and queue what nothing blocks. 'plan PURPOSE' makes a plan for"
        " another officer to approve; 'status [RUN]' shows runs; 'pause', 'resume', 'stop' and 'undo' RUN; 'off' and"
        " 'on' for every run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count; change nothing.")
        parser.add_argument("what", nargs="?", choices=list(_ACTIONS), help="What to do instead of the nightly run.")
        parser.add_argument("which", nargs="?", help="A purpose (plan) or the identifier of a run.")
        parser.add_argument("--reason", default="", help="Why: for 'stop' and 'off'.")
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
            counts = ", ".join(f"{count} {name}" for name, count in item.counts.items()) or "nothing stored"
            self.stdout.write(
                f"{item.schedule.purpose.slug}: kept {item.schedule.retain_for.days} days; "
                f"received before {item.before:%Y-%m-%d %H:%M}Z: {counts}"
            )
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
        schedule = RetentionSchedule.objects.filter(purpose__slug=slug, is_active=True).first()
        if schedule is None:
            raise CommandError(f"There is no retention schedule in use for {slug or 'that purpose'}.")
        plan = plans.make(schedule, actor=_SHELL)
        for name, found in plan.document["data_sets"].items():
            share = 100 * found["due"] / found["stored"] if found["stored"] else 0
            self.stdout.write(
                f"{name}: {found['due']:,} of {found['stored']:,} rows ({share:.0f} %) received before"
                f" {plan.before:%Y-%m-%d %H:%M}Z; {found['held']:,} under a hold stay"
            )
        self.stdout.write(f"Plan {plan.id}, SHA-256 {plan.digest}. An officer approves it under Deletion plans.")

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
        try:
            restored = restoring.undo_run(found.id, actor=_SHELL)
        except NoUndo as exc:
            raise CommandError(str(exc)) from exc
        counts = ", ".join(f"{count:,} of {found.removed[name]:,} {name}" for name, count in restored.items())
        self.stdout.write(f"Restored: {counts}. The rest belongs to people who ended the permission since.")
        self.stdout.write("The key of the run was destroyed.")

    def _off(self, options: dict[str, Any]) -> None:
        control.switch_off(actor=_SHELL, reason=self._reason(options))
        self.stdout.write("Retention runs are switched off. 'retention on' lets them go on.")

    def _on(self, options: dict[str, Any]) -> None:
        control.switch_on(actor=_SHELL)
        self.stdout.write("Retention runs go on within a minute.")

    def _run(self, options: dict[str, Any]) -> Disposal:
        try:
            return Disposal.objects.select_related("purpose", "plan").get(pk=UUID(options["which"] or ""))
        except (ValueError, Disposal.DoesNotExist) as exc:
            raise CommandError("There is no such run. 'retention status' lists them.") from exc

    def _reason(self, options: dict[str, Any]) -> str:
        if not options["reason"].strip():
            raise CommandError("Say why: --reason TEXT.")
        return str(options["reason"])[:500]


def _scrubbed() -> str:
    last = scrubbing.last_done()
    when = f"last scrubbed {last:%Y-%m-%d %H:%M}Z" if last else "never scrubbed"
    return f"The storage was {when}: what was deleted since is still in its files."


_ACTIONS = {
    "plan": Command._plan,  # noqa: SLF001
    "status": Command._status,  # noqa: SLF001
    "pause": Command._pause,  # noqa: SLF001
    "resume": Command._resume,  # noqa: SLF001
    "stop": Command._stop,  # noqa: SLF001
    "undo": Command._undo,  # noqa: SLF001
    "off": Command._off,  # noqa: SLF001
    "on": Command._on,  # noqa: SLF001
}
