"""Write a backup of the instance."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.backup import archive
from governance.backup.dumping import DatabaseProgramFailed
from privacy.erasures import ledger, noting


class Command(BaseCommand):
    help = "Write database, spool and models into one encrypted file. Secrets and the erasure ledger are not in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if file.exists():
            raise CommandError(f"{file} is there already: name a new file.")
        try:
            noting.note()
            ledger.append([] if ledger.exists() else [{"kind": "begun"}])
            size = archive.write(file)
        except (DatabaseProgramFailed, ledger.LedgerBroken, ledger.LedgerMissing, OSError) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(f"{file}: {size:,} bytes. Keep secrets/ and erasures/ of the home in other places.")
