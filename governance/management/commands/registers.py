"""Registers from the command line: what the lint finds."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common import register_lint


class Command(BaseCommand):
    help = "Check the registers as a whole. Exit status 1: an error was found."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        lint = commands.add_parser("lint", help="Name what does not fit together, errors first.")
        lint.add_argument("--json", action="store_true", dest="as_json", help="Print findings as a JSON list.")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        getattr(self, f"_{command}")(**options)

    def _lint(self, as_json: bool, **options: Any) -> None:
        found = register_lint.findings()
        errors = sum(finding.is_error for finding in found)
        if as_json:
            self.stdout.write(json.dumps([asdict(finding) for finding in found], indent=2, ensure_ascii=False))
        else:
            for each in found:
                kind = "error" if each.is_error else "note"
                self.stdout.write(f"{kind} {each.code} {each.register} {each.key}: {each.detail}")
            self.stdout.write(f"{errors} errors, {len(found) - errors} notes.")
        if errors:
            raise CommandError("The registers have errors.", returncode=1)
