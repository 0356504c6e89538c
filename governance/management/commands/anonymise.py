"""Make a CSV file k-anonymous."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from privacy.anonymisation.generalisation import AnonymisationError
from privacy.anonymisation.tables import anonymise_file


class Command(BaseCommand):
    help = "Generalise the quasi-identifiers of a CSV file until every combination is shared by at least k rows."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--qi", required=True, help="Quasi-identifiers, separated by commas.")
        parser.add_argument("-k", type=int, default=10)
        parser.add_argument("-o", "--output", type=Path, required=True)
        parser.add_argument("--sensitive", help="A column that must stay diverse in every class (with -l).")
        parser.add_argument("-l", type=int, default=1, help="At least this many values of --sensitive in a class.")
        parser.add_argument("--drop", default="", help="Columns to leave out (direct identifiers), by commas.")
        parser.add_argument("--keep", default="", help="Columns to copy although nearly every value is one row's own.")
        parser.add_argument("--hierarchies", type=Path, help="Folder of generalisation hierarchies, COLUMN.csv each.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = anonymise_file(
                options["file"],
                options["output"],
                _names(options["qi"]),
                options["k"],
                options["hierarchies"],
                sensitive=options["sensitive"],
                l=options["l"],
                drop=tuple(_names(options["drop"])),
                keep=tuple(_names(options["keep"])),
            )
        except AnonymisationError as exc:
            raise CommandError(str(exc)) from exc
        except OSError as exc:
            raise CommandError(f"{exc.filename or options['file']}: {exc.strerror}") from exc
        result = report.result
        self.stdout.write(
            f"{result.rows} rows in {result.classes} classes; the smallest has {result.smallest_class} "
            f"(k = {result.k}); information lost (NCP): {result.ncp:.4f}"
        )
        if report.neutralised:
            self.stdout.write(f"{report.neutralised} cells began like a formula and got an apostrophe before it")
        if report.passed_through:
            self.stdout.write(f"Left as they are, so check that none identifies: {', '.join(report.passed_through)}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
