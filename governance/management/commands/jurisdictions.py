"""Lint the jurisdiction packs, or show which law protects people in a region."""

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common import actors
from common.http.problems import Problem
from consent.register import jurisdictions
from oversight.changes import drafting
from policies.registers import jurisdiction_matrix, jurisdiction_rows


class Command(BaseCommand):
    help = "Lint the jurisdiction packs, or show which law protects people in a region."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="what", required=True)
        actions.add_parser("lint", help="Find overlaps, gaps and faults; fails on an error.")
        adopt = actions.add_parser("adopt", help="Make rows of the register what the packs of this release say.")
        adopt.add_argument("laws", nargs="*", help="Slugs, such as us-ca; none: list the rows that differ.")
        adopt.add_argument("--all", action="store_true", dest="every", help="Every row that differs.")
        show = actions.add_parser("show", help="Show the law of a region and how it was found.")
        show.add_argument("region", help="ISO 3166: DE, or US-CA for a part of a country.")

    def handle(self, *args: Any, what: str, region: str = "", **options: Any) -> None:
        if what == "show":
            self._show(jurisdictions.match(region))
        elif what == "adopt":
            self._adopt(options["laws"], every=options["every"])
        else:
            self._lint()

    def _lint(self) -> None:
        findings = jurisdiction_matrix.findings()
        for finding in findings:
            self.stdout.write(str(finding))
        errors = sum(finding.is_error for finding in findings)
        if errors:
            raise CommandError(f"{errors} errors in the jurisdiction packs.")
        self.stdout.write(f"{len(jurisdictions.load())} packs, {jurisdictions.revision()}: no error.")

    def _adopt(self, laws: Sequence[str], *, every: bool) -> None:
        differing = jurisdiction_rows.differing()
        if not laws and not every:
            for found in differing:
                self.stdout.write(f"{found.law.slug}: {', '.join(each.field for each in found.differences)}")
            self.stdout.write(f"{len(differing)} rows differ from their packs.")
        wanted = [found.law.slug for found in differing] if every else laws
        if not wanted:
            return
        try:
            change_set = jurisdiction_rows.propose_takeover(wanted, actor=actors.job("shell"))
            drafting.propose(change_set, actor=actors.job("shell"), reason="packs of this release")
        except Problem as problem:
            raise CommandError(problem.detail) from None
        self.stdout.write(f"Change set {change_set.pk} waits for an officer: {', '.join(wanted)}.")

    def _show(self, found: jurisdictions.Matched) -> None:
        law = found.pack
        confirm = f", receipt confirmed within {law.confirm.days} {law.confirm.unit} days" if law.confirm else ""
        lines = [
            ("law", f"{law.name} ({found.code}), found by {found.rule}"),
            ("source", law.source),
            ("default", law.consent_default + (f", opt-in below {law.opt_in_below}" if law.opt_in_below else "")),
            ("age of consent", found.age_of_consent),
            ("minors", f"at most level {law.minor_max_level}"),
            ("unknown age", "counts as adult" if law.unknown_age_is_adult else "counts as minor"),
            ("a yes counts", f"{law.consent_days} days"),
            ("after a no", f"{law.reask_days} days of silence"),
            ("requests", f"{law.answer.days} {law.answer.unit} days, {law.extension.days} more{confirm}"),
            ("binding signals", ", ".join(law.binding_signals) or "none"),
            ("packs", found.revision),
        ]
        for name, value in lines:
            self.stdout.write(f"{name}: {value}")
