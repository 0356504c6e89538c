"""Measure this machine: decisions, consents, the decision log."""

import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from governance.bench import consents, decisions, log
from governance.bench.decisions import Row, Settings

_RUNS = {
    "decisions": decisions.run,
    "consents": consents.run,
    "consent": consents.run,
    "drain": log.run_drain,
    "simulate": log.run_simulate,
}


class Command(BaseCommand):
    help = (
        "Measure decisions or consents over HTTP, the drainer, or a simulation: how many a second, processor time and"
        " latency; prints a Markdown table and the load of the machine before and after."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=list(_RUNS))
        parser.add_argument("--subjects", default="10000,100000,1000000", help="Numbers of people, by commas.")
        parser.add_argument("--seconds", type=float, default=8, help="How long each measurement lasts.")
        parser.add_argument("--clients", type=int, default=8)
        parser.add_argument("--threads", type=int, help="Threads of the one server process.")
        parser.add_argument("--opa", default=_find_opa(), help="An OPA binary to compare with (default: PATH).")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        settings = Settings(
            subjects=[int(number) for number in options["subjects"].split(",")],
            seconds=options["seconds"],
            clients=options["clients"],
            threads=options["threads"] or (2 if what == "decisions" else 4),
            opa=options["opa"],
        )
        run = _RUNS[what]
        if what == "decisions" and not settings.opa:
            self.stderr.write("No OPA on the PATH: measuring without the comparison (--opa PATH names one).")
        before = os.getloadavg()[0]
        rows = run(settings, self.stderr.write)
        self._report(rows)
        self.stdout.write(f"\nLoad of the machine: {before:.1f} before, {os.getloadavg()[0]:.1f} after.")

    def _report(self, rows: Sequence[Row]) -> None:
        self.stdout.write(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {_processor()}, ")
        self.stdout.write(f"Python {platform.python_version()}\n")
        self.stdout.write("| what | clients | per second | CPU us of the process | p50 ms | p99 ms | refused |")
        self.stdout.write("|---|---|---|---|---|---|---|")
        for row in rows:
            self.stdout.write(
                f"| {row.name} | {row.clients} | {row.per_second:,.0f} | {_us(row.cpu_us)} "
                f"| {_ms(row.p50_ms)} | {_ms(row.p99_ms)} | {row.refused} |"
            )


def _us(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _find_opa() -> str | None:
    return os.environ.get("ASSENT_TEST_OPA") or shutil.which("opa")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
