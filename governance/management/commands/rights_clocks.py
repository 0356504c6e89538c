"""Show when a request must be answered: by region, right and day of receipt, with the section that says so."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from privacy.rights import deadlines
from privacy.rights.clocks import document
from privacy.rights.clocks.due import Due, State, due_in
from privacy.rights.clocks.laws import Right


class Command(BaseCommand):
    help = "Show when a request must be answered, or the table of all laws."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("region", nargs="?", help="ISO 3166: DE, or US-CA. None: the table of all laws.")
        parser.add_argument("right", nargs="?", choices=[right.value for right in Right], help="None: every right.")
        parser.add_argument("--day", action="append", default=[], help="Local day of receipt, 2026-01-31; repeatable.")

    def handle(self, *args: Any, region: str | None, right: str | None, day: list[str], **options: Any) -> None:
        try:
            days = [date.fromisoformat(text) for text in day]
        except ValueError:
            raise CommandError("A day is written as 2026-01-31.") from None
        if region is None:
            self.stdout.write(document.render(days or document.STARTING_DAYS))
            return
        for received in days or [date.today()]:  # noqa: DTZ011 (the day where the command is run)
            for each in [Right(right)] if right else Right:
                self.stdout.write(_line(due_in(region, each, received, deadlines.counting())))


def _line(dates: Due) -> str:
    clock = dates.clock
    parts = [f"{clock.law} {clock.right} {dates.starts}: {dates.due}"]
    if dates.state is State.NO_NUMBER:
        parts.append("own time: the law gives no number")
    if dates.latest:
        parts.append(f"extended {dates.latest}, if announced with reasons by {dates.first}")
    if dates.confirm_by:
        parts.append(f"confirmed by {dates.confirm_by}")
    return f"{'; '.join(parts)} ({clock.section}; {clock.certainty})"
