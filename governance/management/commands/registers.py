"""Registers from the command line: what the lint finds, and registers as files."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.registers import lint as register_lint
from common.registers.lint import Finding
from governance import register_files
from governance.register_files import Difference, NotAPlan


class Command(BaseCommand):
    help = "Check the registers as a whole, write them to files, or compare files with them."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        lint = commands.add_parser("lint", help="Name what does not fit together. Exit status 1: errors.")
        lint.add_argument("--json", action="store_true", dest="as_json", help="Print findings as a JSON list.")
        export = commands.add_parser("export", help="Write each register to DIR as a YAML file.")
        export.add_argument("folder", type=Path, metavar="DIR")
        plan = commands.add_parser(
            "plan", help="Say what the files of DIR would change. Exit status 0: nothing, 2: changes, 1: refused."
        )
        plan.add_argument("folder", type=Path, metavar="DIR")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        getattr(self, f"_{command}")(**options)

    def _lint(self, as_json: bool, **options: Any) -> None:
        found = register_lint.findings()
        errors = sum(finding.is_error for finding in found)
        if as_json:
            self.stdout.write(json.dumps([asdict(finding) for finding in found], indent=2, ensure_ascii=False))
        else:
            self._print(found)
            self.stdout.write(f"{errors} errors, {len(found) - errors} notes.")
        if errors:
            raise CommandError("The registers have errors.", returncode=1)

    def _export(self, folder: Path, **options: Any) -> None:
        try:
            written = register_files.export(folder)
        except OSError as exc:
            raise CommandError(f"{exc.filename or folder}: {exc.strerror}", returncode=1) from exc
        self.stdout.write(f"{len(written)} registers written to {folder}.")

    def _plan(self, folder: Path, **options: Any) -> None:
        try:
            document = register_files.read(folder)
            changes = register_files.differences(document)
            errors = register_files.findings(document) if changes else []
        except NotAPlan as refused:
            raise CommandError(str(refused), returncode=1) from None
        for change in changes:
            self._describe(change)
        self._print(errors)
        if errors:
            raise CommandError("The files would bring errors into the registers.", returncode=1)
        if changes:
            raise CommandError(f"{len(changes)} rows would change.", returncode=2)
        self.stdout.write("The registers are as the files say.")

    def _describe(self, change: Difference) -> None:
        self.stdout.write(f"{change.kind} {change.register} {change.key}")
        for name, old, new in change.fields:
            self.stdout.write(f"    {name}: {_shown(old)} -> {_shown(new)}")

    def _print(self, found: list[Finding]) -> None:
        for each in found:
            kind = "error" if each.is_error else "note"
            self.stdout.write(f"{kind} {each.code} {each.register} {each.key}: {each.detail}")


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
