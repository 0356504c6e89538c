"""Import the catalogue from a file."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.http.problems import Problem
from personalization.catalogue import importing
from personalization.catalogue.importing import Imported

_UNUSABLE, _SOME_REFUSED = 2, 3


class Command(BaseCommand):
    help = (
        "Import items from CSV or JSON lines, one a line; the same file again changes nothing. "
        "Exit status 0: nothing was refused, 3: some lines were (they are named), 2: the file cannot be used."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help=f"Columns of CSV: {', '.join(importing.COLUMNS)}.")
        parser.add_argument(
            "--format", choices=importing.FORMATS, help="Default: by the file's name (.gz is unpacked)."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only check and say; nothing is stored.")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            found = importing.import_file(file, kind=options["format"], actor="operator", dry_run=options["dry_run"])
        except Problem as problem:
            raise CommandError(problem.detail, returncode=_UNUSABLE) from problem
        except OSError as exc:
            raise CommandError(f"{exc.filename or file}: {exc.strerror}", returncode=_UNUSABLE) from exc
        self._summarise(found, dry_run=options["dry_run"])
        if found.refused:
            sys.exit(_SOME_REFUSED)

    def _summarise(self, found: Imported, *, dry_run: bool) -> None:
        for each in found.refused:
            self.stderr.write(f"line {each.line}: {each.code}: {each.detail}")
        if len(found.refused) >= importing.MAX_REFUSED:
            self.stderr.write("Too many lines are refused: the rest of the file was not read.")
        outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(found.outcomes.items())) or "nothing"
        self.stdout.write(f"{outcomes}; {len(found.refused):,} lines refused.")
        if dry_run:
            self.stdout.write("Dry run: nothing was stored.")
