"""Verify the audit trail, the consent ledger and the decision logs; name the first link that does not hold."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import redactions, trail
from consent.ledger import verification
from governance.evidence import checks, heads
from governance.management.time_arguments import moment
from policies.decision_log import chain, drainer
from policies.opa import reported_log

NOT_COVERED = (
    "restrictions and legal holds of people, rules of residency, recommender's data; a database whose owner rewrites "
    "the whole trail is found only by a head kept elsewhere (--head)"
)


class Command(BaseCommand):
    help = "Verify the audit trail, the consent ledger and the decision log."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=moment, help="Of the decision log only what was sealed since: 7d, a date.")
        parser.add_argument("--until", type=moment, help="And until then.")
        parser.add_argument(
            "--full", action="store_true", help="Read everything, not only what is newer than the last recorded check."
        )
        parser.add_argument("--head", type=Path, help="A kept head: is it still part of the trail and the log?")
        parser.add_argument("--quiet", action="store_true", help="Say nothing unless something is broken.")

    def handle(self, *args: Any, full: bool, **options: Any) -> None:
        try:
            with checks.only_full_check() if full else nullcontext():
                self._verify(full=full, **options)
        except checks.FullCheckRuns as busy:
            raise CommandError(str(busy)) from None

    def _verify(self, *, quiet: bool, full: bool, **options: Any) -> None:
        drainer.drain(Path(settings.SPOOL_DIR))
        trail.anchor()
        bounded = options["since"] or options["until"]
        before = checks.Checked() if full else checks.checked_before()
        events, ledger, log, reported = (
            trail.verify(after_anchor=before.anchor),
            verification.verify_ledger(),
            chain.verify(since=options["since"], until=options["until"], after_batch=0 if bounded else before.batch),
            reported_log.verify(),
        )
        lines: list[tuple[str, str, Any]] = [
            ("Audit trail", f"{events.events} events under {events.anchors} anchors, head {events.head[:16]}", events),
            ("Consent ledger", f"{ledger.records} records of {ledger.subjects} people{_redacted()}", ledger),
            ("Decision log", f"{log.decisions} decisions in {log.batches} batches, head {log.head[:16]}", log),
            ("Decisions of OPA servers", f"{reported.decisions} in {reported.batches} batches", reported),
        ]
        found = [(name, summary, verdict.broken) for name, summary, verdict in lines]
        found += [(name, "as the audit trail says", broken) for name, broken in checks.besides().items()]
        if options["head"]:
            found.append(("Kept head", "part of the trail and the log", _compared(options["head"])))
        for name, summary, broken in found:
            if broken:
                self.stdout.write(f"{name}: BROKEN: {broken}")
            elif not quiet:
                self.stdout.write(f"{name}: intact: {summary}")
        if not quiet:
            self.stdout.write(f"Not covered: {NOT_COVERED}.")
        if any(broken for _, _, broken in found):
            raise CommandError("The evidence does not hold together. Keep the database as it is and look into it.")


def _redacted() -> str:
    people = redactions.people()
    return f", {people} of them redacted" if people else ""


def _compared(path: Path) -> str | None:
    try:
        return heads.compare(heads.read_last(path))
    except (OSError, heads.NotAHead) as exc:
        raise CommandError(f"{path} holds no head that can be compared: {exc}") from exc
