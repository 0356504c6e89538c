"""Import consents from another system's file."""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from common.http.problems import Problem
from consent.importing import reading, service

_UNUSABLE, _SOME_REFUSED, _INTERRUPTED = 2, 3, 130


class Command(BaseCommand):
    help = (
        "Import choices from CSV or JSON lines, one a line. Goes on where an interrupted run ended. "
        "Exit status 0: nothing was refused, 3: some lines were (see the report), 2: the file cannot be used."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help=f"Columns or members: {', '.join(reading.COLUMNS)}.")
        parser.add_argument("--system", required=True, help="The system the choices come from; kept in each record.")
        parser.add_argument("--format", choices=reading.FORMATS, help="Default: by the file's name (.gz is unpacked).")
        parser.add_argument("--dry-run", action="store_true", help="Only check and report; nothing is stored.")
        parser.add_argument("--report", type=Path, help="Where refused lines go (default: FILE.report.jsonl).")
        parser.add_argument("--batch", type=int, default=service.BATCH, help="Lines in one transaction.")
        parser.add_argument(
            "--max-refused", type=int, default=service.MAX_REFUSED, help="End after so many refused lines."
        )

    def handle(self, *args: Any, file: Path, system: str, **options: Any) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", system):
            raise CommandError("--system must be 1 to 64 letters, digits and . _ -", returncode=_UNUSABLE)
        if not 1 <= options["batch"] <= 50_000:
            raise CommandError("--batch must be from 1 to 50000.", returncode=_UNUSABLE)
        report = options["report"] or file.with_name(f"{file.name}.report.jsonl")
        order = service.Order(
            path=file,
            system=system,
            actor="operator",
            report=report,
            kind=options["format"],
            rehearsal=options["dry_run"],
            batch=options["batch"],
            max_refused=options["max_refused"],
        )
        try:
            outcome = service.import_file(order, progress_bar() if sys.stderr.isatty() else lambda progress: None)
        except Problem as problem:
            raise CommandError(problem.detail, returncode=_UNUSABLE) from problem
        except OSError as exc:
            raise CommandError(f"{exc.filename or file}: {exc.strerror}", returncode=_UNUSABLE) from exc
        except KeyboardInterrupt:
            self.stderr.write("\nStopped. Run the same command again to go on.")
            sys.exit(_INTERRUPTED)
        except OperationalError as exc:
            raise CommandError("The database does not answer. Run the same command again to go on.") from exc
        self._summarise(outcome, order)
        if outcome.refused:
            sys.exit(_SOME_REFUSED)

    def _summarise(self, outcome: service.Outcome, order: service.Order) -> None:
        if outcome.was_finished:
            self.stdout.write("This file was imported before. Nothing was changed; the figures are those of then.")
        elif outcome.resumed_after:
            self.stdout.write(f"An earlier run ended after line {outcome.resumed_after:,}; this one went on there.")
        would = "would be " if order.rehearsal and not outcome.was_finished else ""
        self.stdout.write(
            f"{outcome.lines:,} lines: {outcome.imported:,} {would}imported ({outcome.unproven:,} of them unproven), "
            f"{outcome.refused.total():,} refused."
        )
        for code, count in outcome.refused.most_common():
            self.stdout.write(f"  {count:>10,}  {code}")
        if outcome.refused:
            self.stdout.write(f"Each refused line and its reason: {order.report}")
        if would:
            self.stdout.write("Dry run: nothing was stored.")


def progress_bar(width: int = 30) -> Callable[[service.Progress], None]:
    """Return a function that draws how far the file is read, the speed and the time left, on a terminal's last line."""
    began = time.monotonic()

    def draw(progress: service.Progress) -> None:
        seconds = max(time.monotonic() - began, 0.001)
        share = min(progress.read / progress.size, 1.0) if progress.size else 1.0
        left = seconds / share - seconds if share else 0.0
        bar = "#" * round(share * width)
        sys.stderr.write(
            f"\r[{bar:<{width}}] {share:4.0%}  {progress.lines:,} lines  "
            f"{progress.lines / seconds:,.0f}/s  {left:,.0f} s left  "
        )
        if share >= 1.0:
            sys.stderr.write("\n")
        sys.stderr.flush()

    return draw
