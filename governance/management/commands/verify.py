"""Verify the audit trail, the consent ledger and the decision logs; name the first link that does not hold."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import trail
from consent.ledger import verification
from governance.management.time_arguments import moment
from policies.decision_log import chain, drainer
from policies.opa import reported_log


class Command(BaseCommand):
    help = "Verify the audit trail, the consent ledger and the decision log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=moment, help="Of the decision log only what was sealed since: 7d, a date.")
        parser.add_argument("--until", type=moment, help="And until then.")
        parser.add_argument("--quiet", action="store_true", help="Say nothing unless something is broken.")

    def handle(self, *args: Any, quiet: bool, **options: Any) -> None:
        drainer.drain(Path(settings.SPOOL_DIR))
        trail.anchor()
        events, ledger, log, reported = (
            trail.verify(),
            verification.verify_ledger(),
            chain.verify(since=options["since"], until=options["until"]),
            reported_log.verify(),
        )
        lines: list[tuple[str, str, Any]] = [
            ("Audit trail", f"{events.events} events under {events.anchors} anchors, head {events.head[:16]}", events),
            ("Consent ledger", f"{ledger.records} records of {ledger.subjects} people", ledger),
            ("Decision log", f"{log.decisions} decisions in {log.batches} batches, head {log.head[:16]}", log),
            ("Decisions of OPA servers", f"{reported.decisions} in {reported.batches} batches", reported),
        ]
        for name, summary, verdict in lines:
            if not verdict.ok:
                self.stdout.write(f"{name}: BROKEN: {verdict.broken}")
            elif not quiet:
                self.stdout.write(f"{name}: intact: {summary}")
        if not all(verdict.ok for _, _, verdict in lines):
            raise CommandError("The evidence does not hold together. Keep the database as it is and look into it.")
