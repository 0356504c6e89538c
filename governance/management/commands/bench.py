"""Measure this machine: decisions, consents, the decision log."""

import os
import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.bench import consents, decisions, log, machine, report
from governance.bench.decisions import Settings

_RUNS = {
    "decisions": decisions.run,
    "consents": consents.run,
    "consent": consents.run,
    "drain": log.run_drain,
    "simulate": log.run_simulate,
}


class Command(BaseCommand):
    help = (
        "Measure decisions or consents over HTTP, the drainer, or a simulation: how many a second, processor time of"
        " the process and of PostgreSQL, and latency; prints a Markdown table and the load of the machine before and"
        " after."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=list(_RUNS))
        parser.add_argument("--subjects", default="10000,100000,1000000", help="Numbers of people, by commas.")
        parser.add_argument("--seconds", type=float, default=8, help="How long each measurement lasts.")
        parser.add_argument("--clients", type=int, default=8)
        parser.add_argument("--threads", type=int, help="Threads of the one server process.")
        parser.add_argument("--opa", default=_find_opa(), help="An OPA binary to compare with (default: PATH).")
        parser.add_argument("--json", type=Path, metavar="FILE", help="Also write the machine and the rows as JSON.")

    def handle(self, *args: Any, what: str, json: Path | None, **options: Any) -> None:
        settings = Settings(
            subjects=[int(number) for number in options["subjects"].split(",")],
            seconds=options["seconds"],
            clients=options["clients"],
            threads=options["threads"] or (2 if what == "decisions" else 4),
            opa=options["opa"],
        )
        if what == "decisions" and not settings.opa:
            self.stderr.write("No OPA on the PATH: measuring without the comparison (--opa PATH names one).")
        try:
            if json is not None:
                report.require_writable(json)
            where = machine.describe(opa=settings.opa)
            rows = _RUNS[what](settings, self.stderr.write)
            machine.note_end(where)
            self.stdout.write("\n".join(report.text(where, rows)))
            if json is not None:
                report.write_json(json, where, rows)
        except report.UnwritableReport as exc:
            raise CommandError(str(exc)) from exc


def _find_opa() -> str | None:
    return os.environ.get("ASSENT_TEST_OPA") or shutil.which("opa")
