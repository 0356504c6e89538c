"""Scrub the storage of what was deleted."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from privacy.scrub import scrubbing


class Command(BaseCommand):
    help = (
        "Rewrite the tables, clear the planner's statistics and have old segments of the write-ahead log removed, so"
        " that the data folder and later backups hold nothing that was deleted (docs/retention.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--copies-apart",
            action="store_true",
            help="Go on although the log is archived or replicated: those copies are aged by other means.",
        )

    def handle(self, *args: Any, copies_apart: bool, **options: Any) -> None:
        try:
            done = scrubbing.scrub(actor="operator", copies_apart=copies_apart)
        except scrubbing.ScrubRefused as exc:
            raise CommandError(str(exc)) from exc
        apart = " Archive and replicas of the write-ahead log are not part of it." if copies_apart else ""
        self.stdout.write(f"Scrubbed: {done.tables} tables rewritten, {done.freed:,} bytes given back.{apart}")
