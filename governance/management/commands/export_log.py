"""Write the audit log or the decision log to a file, as an officer's page downloads it, without its limit of size."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.exports.writing import Written
from audit.log import export as audit_export
from audit.log.filters import Filter as AuditFilter
from common.admin_pages.log_filters import BadFilter
from consent.exporting import opened_whole
from policies.decision_log import drainer
from policies.decision_log.search import export as decision_export
from policies.decision_log.search.filters import Filter as DecisionFilter

_LOGS: dict[str, tuple[Any, Any]] = {
    "audit": (AuditFilter, audit_export.write),
    "decisions": (DecisionFilter, decision_export.write),
}
_FORMATS = ("csv", "jsonl")


class Command(BaseCommand):
    help = "Write what a filter finds in a log as CSV, or as JSON lines with proof (verify-receipt checks them)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("log", choices=_LOGS)
        parser.add_argument(
            "--filter",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="As in the address of the log's page: start=2026-11-24, end=2026-11-24, zone=Europe/Berlin, q=words.",
        )
        parser.add_argument("-o", "--output", type=Path, required=True, help="FILE.csv or FILE.jsonl, packed with .gz.")

    def handle(self, *args: Any, log: str, filter: Sequence[str], output: Path, **options: Any) -> None:  # noqa: A002
        kind = output.name.removesuffix(".gz").rpartition(".")[2]
        if kind not in _FORMATS:
            raise CommandError(f"{output}: end the name in .jsonl or .csv, with .gz to pack it.", returncode=2)
        read, write = _LOGS[log]
        drainer.drain(Path(settings.SPOOL_DIR))
        written = Written(max_bytes=None)
        try:
            pieces = write(kind, read.of(dict(map(_pair, filter))), actor="operator", written=written)
            with opened_whole(output) as file:
                for piece in pieces:
                    file.write(piece)
        except BadFilter as refused:
            raise CommandError(str(refused), returncode=2) from None
        except OSError as exc:
            raise CommandError(f"{exc.filename or output}: {exc.strerror}", returncode=2) from exc
        self.stdout.write(f"{written.lines:,} lines written to {output}, SHA-256 {written.sha256}.")


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise BadFilter(f"“{text}” is no filter: write NAME=VALUE.")
    return name, value
