"""Replay the decision log against a candidate policy, before its publication."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.management.time_arguments import moment
from oversight.officers import single
from policies.decision_log import drainer
from policies.simulation import CandidateUnusable, ReplayReport, service


class Command(BaseCommand):
    help = "Say what a candidate policy would have answered to the decisions of the log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("candidate", help="The digest of a policy or revision, or a folder of *.rego.")
        parser.add_argument("--since", type=moment, default="7d", help="7d, 24h, 2w or a date (default: 7d).")
        parser.add_argument("--until", type=moment, help="Default: now.")
        parser.add_argument("--limit", type=int, help="Only the newest N decisions.")
        parser.add_argument("--examples", type=int, default=5, help="Of each kind of difference (default: 5).")
        parser.add_argument("-o", "--output", type=Path, help="Write the report as JSON.")
        parser.add_argument("--no-store", action="store_true", help="Do not keep the report for the admin.")

    def handle(self, *args: Any, candidate: str, **options: Any) -> None:
        drainer.drain(Path(settings.SPOOL_DIR))
        policy = service.policy_named(candidate)
        try:
            report = service.simulate(
                policy or candidate,
                since=options["since"],
                until=options["until"],
                limit=options["limit"],
                examples=options["examples"],
            )
        except CandidateUnusable as unusable:
            raise CommandError(unusable.detail, returncode=2) from unusable
        if options["output"]:
            self._write(report, single.marked(options["output"]))
        if not options["no_store"]:
            service.keep(report, author="operator", limit=options["limit"], policy=policy)
        self._tell(report)

    def _write(self, report: ReplayReport, output: Path) -> None:
        try:
            output.write_text(json.dumps(report.document() | single.member(), indent=2, ensure_ascii=False) + "\n")
        except OSError as exc:
            raise CommandError(f"{output}: {exc.strerror}", returncode=2) from exc

    def _tell(self, report: ReplayReport) -> None:
        found = report.in_force
        self.stdout.write(
            f"Of {found.compared:,} decisions {found.different:,} would come out differently than by the rules in"
            " force."
        )
        for kind, count in found.kinds.items():
            if count:
                self.stdout.write(f"  {kind.replace('_', ' ')}: {count:,}")
        self.stdout.write(f"Against what was answered then: {report.as_answered.different:,} would.")
        if report.unreadable:
            self.stdout.write(f"The candidate gives no answer at all to {report.unreadable:,} decisions.")
        for name, count in report.skipped.items():
            if count:
                self.stdout.write(f"Skipped ({name.replace('_', ' ')}): {count:,}")
        rate = report.decisions / report.seconds if report.seconds else 0
        self.stdout.write(
            f"{report.decisions:,} decisions, {report.distinct:,} different fact sheets, {report.seconds:.1f} s,"
            f" {rate:,.0f}/s."
        )
