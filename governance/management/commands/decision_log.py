"""The decision log's age on the shell: what is due, drops with their progress, and the exported files."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import trail
from policies.decision_log.ageing import checkpoints, days, dropping, exports, files
from policies.decision_log.ageing.checkpoints import CheckpointBroken
from policies.decision_log.ageing.reading_out import DayBroken, read_out
from policies.models import LogDrop
from privacy.retention.own_records import record_periods

_SHOWN = 20


class Command(BaseCommand):
    help = (
        "The decision log's age: 'status' shows days, drops and what is due; 'drop' exports and drops what is due now;"
        " 'export DAY FOLDER' checks one day and writes it as Parquet, and drops nothing; 'files' holds exported files"
        " against the digests that were signed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=list(_ACTIONS))
        parser.add_argument("day", nargs="?", type=_date, help="With 'export': a day, such as 2026-11-29.")
        parser.add_argument("folder", nargs="?", type=Path, help="With 'export': where the file goes.")
        parser.add_argument("--all", action="store_true", help="With 'drop': however many days are due at once.")
        parser.add_argument("--dry-run", action="store_true", help="With 'drop': say what would go; change nothing.")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        _ACTIONS[what](self, options)

    def _status(self, _options: dict[str, Any]) -> None:
        stored, period = days.stored(), record_periods.period("decision_log")
        due = days.due(stored, period)
        self.stdout.write(f"Kept for {period.days} days. {len(stored)} days are stored, {len(due)} of them are due.")
        folder = files.folder()
        self.stdout.write(f"Exported before to {folder}." if folder else "Not exported before (DECISION_LOG_EXPORTS).")
        for drop in LogDrop.objects.all()[:_SHOWN]:
            self.stdout.write(_line(drop))

    def _drop(self, options: dict[str, Any]) -> None:
        if options["dry_run"]:
            due = days.due(days.stored(), record_periods.period("decision_log"))
            self.stdout.write(f"Dry run: {len(due)} days would be dropped: {_listed(due)}. Nothing was changed.")
            return
        done = dropping.run(however_many=options["all"])
        for day, rows in done.dropped.items():
            self.stdout.write(f"{day}: {rows:,} decisions dropped")
        if done.stopped:
            raise CommandError(done.stopped)
        self.stdout.write(f"{len(done.dropped)} days dropped.")

    def _export(self, options: dict[str, Any]) -> None:
        if options["day"] is None or options["folder"] is None:
            raise CommandError("Name a day and a folder: decision-log export 2026-11-29 /mnt/archive", returncode=2)
        day = next((each for each in days.stored() if each.date == options["day"]), None)
        if day is None:
            raise CommandError(f"There are no decisions of {options['day']}.", returncode=2)
        try:
            found = read_out(day, checkpoints.dropped(), folder=options["folder"], progress=lambda _rows: None)
        except (DayBroken, CheckpointBroken) as exc:
            raise CommandError(f"{day.date} was not exported: {exc}.") from exc
        except OSError as exc:
            raise CommandError(f"{exc.filename or options['folder']}: {exc.strerror}", returncode=2) from exc
        details = {"decisions": found.rows, "day": day.date.isoformat(), "format": "parquet"}
        file = (found.export or {})["file"]
        trail.record("decision_log.exported", file, actor="operator", details=details)
        self.stdout.write(f"{found.rows:,} decisions written to {options['folder'] / file}.")

    def _files(self, _options: dict[str, Any]) -> None:
        folder = files.folder()
        if folder is None:
            raise CommandError("DECISION_LOG_EXPORTS names no folder.", returncode=2)
        try:
            checkpoints.dropped()
        except CheckpointBroken as exc:
            raise CommandError(f"The digests cannot be relied on: {exc}.") from exc
        found = [(each, each.state(folder)) for each in exports.every()]
        for each, state in found:
            self.stdout.write(f"{each.name}: {each.rows:,} decisions: {state or 'as signed'}")
        if any(state == "changed" for _, state in found):
            raise CommandError("Files are not the ones that were written.")
        self.stdout.write(f"{len(found)} files.")


def _line(drop: LogDrop) -> str:
    at = f"{drop.moved_at:%Y-%m-%d %H:%M}Z"
    if drop.state == LogDrop.State.READING:
        return f"{drop.day}: being checked and exported, {drop.rows_read:,} of about {drop.rows:,} decisions ({at})"
    if drop.state == LogDrop.State.REFUSED:
        return f"{drop.day}: not dropped: {drop.why} ({at})"
    return f"{drop.day}: {drop.rows:,} decisions dropped ({at})"


def _listed(due: Iterable[days.Day]) -> str:
    return ", ".join(day.date.isoformat() for day in due) or "none"


def _date(text: str) -> date:
    return date.fromisoformat(text)


_ACTIONS = {
    "status": Command._status,  # noqa: SLF001
    "drop": Command._drop,  # noqa: SLF001
    "export": Command._export,  # noqa: SLF001
    "files": Command._files,  # noqa: SLF001
}
