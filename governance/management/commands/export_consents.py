"""Export consents to a file, to keep or to leave with."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.http.problems import Problem
from consent import exporting
from consent.importing import reading
from oversight.officers import single


class Command(BaseCommand):
    help = "Write every record of the consent ledger, or what is in force, as CSV or JSON lines. People by pseudonym."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-o", "--output", type=Path, help="Default: standard output. Packed if it ends in .gz.")
        parser.add_argument("--format", choices=reading.FORMATS, help="Default: by the file's name, else csv.")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--records", dest="what", action="store_const", const="records", help="All (the default).")
        what.add_argument("--state", dest="what", action="store_const", const="state", help="Only what is in force.")

    def handle(self, *args: Any, output: Path | None, what: str | None, **options: Any) -> None:
        what = what or "records"
        try:
            if output is None:
                if single.is_single():
                    self.stderr.write(single.SENTENCE)
                exporting.export(what, options["format"] or "csv", sys.stdout.buffer)
                return
            exporting.export_to(single.marked(output), what, reading.format_of(output, options["format"]))
        except Problem as problem:
            raise CommandError(problem.detail, returncode=2) from problem
        except OSError as exc:
            raise CommandError(f"{exc.filename or output}: {exc.strerror}", returncode=2) from exc
