"""Registers from the command line: what lint finds, registers as files, and files as a change set."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from common import actors
from common.http.problems import Problem
from common.registers import lint as register_lint
from common.registers.lint import Finding
from oversight import registers
from oversight.changes import documents, drafting, files, preview
from oversight.changes.documents import Compared, Proposed
from oversight.changes.files import NotAPlan

_WHY = "From files, by the command registers apply of the operator."


class Command(BaseCommand):
    help = "Check the registers as a whole, write them to files, compare files with them, draft what files say."

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
        apply = commands.add_parser(
            "apply", help="Draft what the files of DIR would change, for an officer to propose. Exit status 1: refused."
        )
        apply.add_argument("folder", type=Path, metavar="DIR")
        apply.add_argument("--officer", required=True, metavar="NAME", help="Whose draft it is.")
        apply.add_argument("--title", default="Registers from files", help="Title of the change set.")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        try:
            getattr(self, f"_{command}")(**options)
        except NotAPlan as refused:
            raise CommandError(str(refused), returncode=1) from None
        except Problem as refused:
            raise CommandError(refused.detail, returncode=1) from None

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
            written = files.export(folder)
        except OSError as exc:
            raise CommandError(f"{exc.filename or folder}: {exc.strerror}", returncode=1) from exc
        self.stdout.write(f"{len(written)} registers written to {folder}.")

    def _plan(self, folder: Path, **options: Any) -> None:
        changes = self._changes(folder)
        if changes:
            raise CommandError(f"{len(changes)} rows would change.", returncode=2)

    @transaction.atomic
    def _apply(self, folder: Path, officer: str, title: str, **options: Any) -> None:
        account = _account(officer)
        changes = self._changes(folder)
        if not changes:
            return
        _refuse_without_rights(account, changes)
        proposed = [Proposed(change.register, change.key, change.after) for change in changes]
        actor = actors.Officer.of(account.username, account.pk)
        drafted = preview.check(drafting.draft(proposed, title=title, actor=actor, reason=_WHY))
        page = f"/admin/changes/{drafted.pk}/"
        self.stdout.write(f"Change set {drafted.pk} is drafted: {officer} proposes it under {page}.")

    def _changes(self, folder: Path) -> list[Compared]:
        """Print and return what the files would change. Raises CommandError where that brings errors."""
        changes = files.plan(folder)
        for change in changes:
            self._describe(change)
        if not changes:
            self.stdout.write("The registers are as the files say.")
            return []
        found = preview.trial(changes, actor=_WHY, progress=self._progress)
        errors = [finding for finding in found.findings if finding.is_error]
        self._print(errors)
        if errors:
            raise CommandError("The files would bring errors into the registers.", returncode=1)
        for figure in found.figures:
            if figure["before"] != figure["after"]:
                self.stdout.write(f"effect {figure['label']}: {_shown(figure['before'])} -> {_shown(figure['after'])}")
        return changes

    def _progress(self, share: int) -> None:
        """Say how many people are counted, beside the result and not in it."""
        self.stderr.write(f"People counted: {share} %")

    def _describe(self, change: Compared) -> None:
        sign = "+" if change.before is None else "-" if change.after is None else "~"
        self.stdout.write(f"{sign} {change.register} {change.key}")
        if sign == "~":
            for name, (old, new) in documents.differences(change.before, change.after).items():
                self.stdout.write(f"    {name}: {_shown(old)} -> {_shown(new)}")

    def _print(self, found: Sequence[Finding]) -> None:
        for each in found:
            kind = "error" if each.is_error else "note"
            self.stdout.write(f"{kind} {each.code} {each.register} {each.key}: {each.detail}")


def _account(name: str) -> User:
    account = User.objects.filter(username=name, is_active=True, is_staff=True).first()
    if account is None:
        raise CommandError(f"There is no active officer '{name}'. See ./assent officers list.", returncode=1)
    return account


def _refuse_without_rights(account: User, changes: Sequence[Compared]) -> None:
    """Refuse what the officer could not draft by a form."""
    for change in changes:
        options = registers.find(change.register).model._meta  # noqa: SLF001 (Django documents it)
        verb = "add" if change.before is None else "delete" if change.after is None else "change"
        if not account.has_perm(f"{options.app_label}.{verb}_{options.model_name}"):
            raise CommandError(f"'{account.username}' may not {verb} {options.verbose_name_plural}.", returncode=1)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
