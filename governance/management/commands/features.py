"""Features of people: which are in use, whether the online rows say what the events say, and rows that are missing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from personalization.features import consistency, definitions, filling
from personalization.training import PURPOSE


class Command(BaseCommand):
    help = "List the definitions in use, compare online rows with the events, or make rows that are missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["list", "check", "fill"])
        parser.add_argument("--purpose", default=PURPOSE, help="With list: of this purpose.")
        parser.add_argument("--rows", type=int, default=1_000, help="With check: so many, from a random place on.")
        parser.add_argument(
            "--repair", action="store_true", help="With check: remove rows that differ; the events are read then."
        )

    def handle(self, *args: Any, what: str, purpose: str, rows: int, repair: bool, **options: Any) -> None:
        if what == "list":
            for each in definitions.in_force(purpose):
                window = f"{each.window_days} days" if each.window_days else "everything"
                self.stdout.write(f"{each.name}@{each.version}: {each.kind} of {', '.join(each.events)}, {window}")
            return
        if what == "fill":
            made, left = filling.fill()
            self.stdout.write(f"{made:,} rows made, {left:,} left for later.")
            return
        found = consistency.check(rows, repair=repair)
        self.stdout.write(f"{found.rows:,} rows checked, {found.open:,} open, {found.different:,} differ.")
        if found.different:
            done = "They were removed." if repair else "--repair removes them."
            raise CommandError(f"{found.different:,} rows say something else than the events. {done}")
