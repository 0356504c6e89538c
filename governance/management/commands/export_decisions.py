"""Export the decision log to a file: for an auditor, or for a warehouse."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit import trail
from consent.exporting import opened_whole
from governance.management.time_arguments import moment
from oversight.officers import single
from policies.decision_log import drainer, export
from policies.opa import reported_log


class Command(BaseCommand):
    help = "Write the decisions of a time as JSON lines (as logged), CSV or Parquet. People by monthly pseudonym."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=moment, default="7d", help="7d, 24h, 2w or a date (default: 7d).")
        parser.add_argument("--until", type=moment, help="Default: now.")
        parser.add_argument(
            "-o", "--output", type=Path, required=True, help="FILE.jsonl or FILE.csv, packed with .gz, or FILE.parquet."
        )
        parser.add_argument("--format", choices=export.FORMATS, help="Default: as the file's name ends.")
        parser.add_argument(
            "--of-opa-servers", action="store_true", help="What OPA servers reported instead, by when it came in."
        )

    def handle(self, *args: Any, since: datetime, until: datetime | None, output: Path, **options: Any) -> None:
        kind = options["format"] or output.name.removesuffix(".gz").rpartition(".")[2]
        if kind not in export.FORMATS:
            sentence = f"{output}: end the name in .jsonl or .csv, with .gz to pack it, or in .parquet."
            raise CommandError(sentence, returncode=2)
        if kind == "parquet" and output.name.endswith(".gz"):
            raise CommandError(f"{output}: Parquet is packed already; leave .gz away.", returncode=2)
        output = single.marked(output)
        external = options["of_opa_servers"]
        log = reported_log if external else export
        drainer.drain(Path(settings.SPOOL_DIR))
        until = until or timezone.now()
        try:
            with opened_whole(output) as file:
                count = log.export(kind, file, since=since, until=until)
        except OSError as exc:
            raise CommandError(f"{exc.filename or output}: {exc.strerror}", returncode=2) from exc
        details = {"decisions": count, "since": since.isoformat(), "until": until.isoformat(), "format": kind}
        event = "external_log.exported" if external else "decision_log.exported"
        trail.record(event, output.name, actor="operator", details=details)
        self.stdout.write(f"{count:,} decisions written to {output}.")
