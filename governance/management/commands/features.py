"""Features of people: which are in use, and whether the online rows say what the events say."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from personalization.features import consistency, definitions
from personalization.training import PURPOSE


class Command(BaseCommand):
    help = "List the definitions in use, or compare online rows with features computed anew from the events."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["list", "check"])
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
        found = consistency.check(rows, repair=repair)
        self.stdout.write(f"{found.rows:,} rows checked, {found.open:,} open, {found.different:,} differ.")
        if found.different:
            done = "They were removed." if repair else "--repair removes them."
            raise CommandError(f"{found.different:,} rows say something else than the events. {done}")
