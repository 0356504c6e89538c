"""Restore a backup and replay the erasure ledger over it."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent import key_check
from governance.backup import archive
from governance.backup.dumping import DatabaseProgramFailed, InUse
from governance.backup.sealing import NotABackup
from privacy.erasures import ledger


class Command(BaseCommand):
    help = "Replace the database, spool and models by those of a backup, then replay the erasure ledger."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            about = archive.restore(file)
            call_command("migrate", verbosity=0, interactive=False)
            key_check.require()
        except (
            NotABackup, ledger.LedgerMissing, ledger.LedgerBroken, archive.LedgerTooOld, InUse, DatabaseProgramFailed,
            key_check.WrongSubjectKey, OSError,
        ) as exc:  # fmt: skip
            raise CommandError(str(exc)) from exc
        self.stdout.write(f"Restored the backup of {about['made_at']}.")
        call_command("replay_erasures", stdout=self.stdout, stderr=self.stderr)
