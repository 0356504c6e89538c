"""Measure this machine: decisions, consents, the decision log, deletion, anonymisation, training, ranking."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.bench import anonymisation, comparison, consents, decisions, log, machine, report, serving
from governance.bench.decisions import Settings
from governance.bench.deletion import pressure, retention
from governance.bench.recommender import movielens, quality, training

_RUNS = {
    "decisions": decisions.run,
    "consents": consents.run,
    "consent": consents.run,
    "drain": log.run_drain,
    "simulate": log.run_simulate,
    "retention": retention.run,
    "pressure": pressure.run,
    "serving": serving.run,
}
_ANONYMISE = "anonymise"
_RECOMMENDER = "recommender"
_TRAINING = "training"


class Command(BaseCommand):
    help = (
        "Measure decisions or consents over HTTP, the drainer, a simulation, or deletion: how many a second, processor"
        " time of the process and of PostgreSQL, and latency; or what anonymising costs and loses; or how well the"
        " recommender ranks at each level. Prints a Markdown table and the load of the machine before and after."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=[*_RUNS, _ANONYMISE, _RECOMMENDER, _TRAINING])
        parser.add_argument("--subjects", default="10000,100000,1000000", help="Numbers of people, by commas.")
        parser.add_argument("--seconds", type=float, default=8, help="How long each measurement lasts.")
        parser.add_argument("--clients", type=int, default=8)
        parser.add_argument("--threads", type=int, help="Threads of the one server process.")
        parser.add_argument("--opa", default=_find_opa(), help="An OPA binary to compare with (default: PATH).")
        parser.add_argument(
            "--against",
            metavar="granian|DIR",
            help="With decisions: measure the front and this server in turn instead: granian, or granian with the older"
            " release that is checked out in DIR. With anonymise: DIR.",
        )
        parser.add_argument(
            "--rows",
            default="1000000",
            help="Rows of the tables to anonymise, by commas; of the one that retention deletes a quarter of, and that"
            " pressure deletes from while it asks for decisions.",
        )
        parser.add_argument("--adult", type=Path, default=anonymisation.ADULT, help="The UCI Adult table, as CSV.")
        parser.add_argument("--hierarchies", type=Path, help="Anonymise Adult with these hierarchies, too.")
        parser.add_argument("--peer", type=Path, help="A Python with anjana, to compare with.")
        parser.add_argument(
            "--movielens",
            type=Path,
            metavar="FILE",
            help="With recommender: the wheel of recbole 1.2.1, or its folder ml-100k (default: fetch the wheel).",
        )
        parser.add_argument(
            "--dataset", type=Path, metavar="DIR", help="With recommender: a folder with ratings.csv and items.csv."
        )
        parser.add_argument(
            "--lists", type=Path, metavar="FILE", help="With recommender: also write every list, for other judges."
        )
        parser.add_argument(
            "--plot", type=Path, metavar="FILE", help="With recommender: also draw relevance by privacy level, as SVG."
        )
        parser.add_argument("--seeds", default="0,1", help="With recommender: seeds of what chance decides, by commas.")
        parser.add_argument(
            "--items", type=int, help="Items of the catalogue: with training (10,000), with serving (1,000)."
        )
        parser.add_argument("--events", type=int, default=5_000_000, help="With training: events of all people.")
        parser.add_argument("--json", type=Path, metavar="FILE", help="Also write the machine and the rows as JSON.")

    def handle(self, *args: Any, what: str, json: Path | None, **options: Any) -> None:
        if what == _ANONYMISE:
            asked = anonymisation.Asked(
                rows=[int(number) for number in options["rows"].split(",") if number],
                adult=options["adult"],
                hierarchies=options["hierarchies"],
                against=None if options["against"] is None else _release(options["against"]),
                peer=options["peer"],
            )
            self._measure(lambda: anonymisation.run(asked, self.stderr.write), json, opa=None)
            return
        if what == _RECOMMENDER:
            seeds = [int(seed) for seed in options["seeds"].split(",") if seed]
            wish = quality.Asked(
                options["movielens"], options["dataset"], options["lists"], options["plot"], seeds or [0]
            )
            self._measure(lambda: quality.run(wish, self.stderr.write), json, opa=None)
            return
        if what == _TRAINING:
            sizes = [
                training.Size(int(people), options["items"] or 10_000, options["events"])
                for people in options["subjects"].split(",")
            ]
            self._measure(
                lambda: [row for size in sizes for row in training.run(size, self.stderr.write)], json, opa=None
            )
            return
        settings = Settings(
            subjects=[int(number) for number in options["subjects"].split(",")],
            seconds=options["seconds"],
            clients=options["clients"],
            threads=options["threads"] or (2 if what == "decisions" else 4),
            opa=options["opa"],
            against=options["against"],
            rows=int(options["rows"].partition(",")[0]),
            items=options["items"] or 1_000,
        )
        run = _run(what, settings)
        if what == "decisions" and not settings.opa and not settings.against:
            self.stderr.write("No OPA on the PATH: measuring without the comparison (--opa PATH names one).")
        self._measure(lambda: run(settings, self.stderr.write), json, opa=settings.opa)

    def _measure(self, run: Callable[[], Sequence[report.Row]], json: Path | None, *, opa: str | None) -> None:
        try:
            if json is not None:
                report.require_writable(json)
            where = machine.describe(opa=opa)
            rows = run()
            machine.note_end(where)
            self.stdout.write("\n".join(report.text(where, rows)))
            if json is not None:
                report.write_json(json, where, rows)
        except (report.UnwritableReport, movielens.DataNotFound) as exc:
            raise CommandError(str(exc)) from exc


def _run(what: str, settings: Settings) -> Callable[[Settings, Callable[[str], None]], list[report.Row]]:
    """Return what makes the measurement. Raises CommandError."""
    if settings.against is None:
        return _RUNS[what]
    if what != "decisions":
        raise CommandError("--against compares decisions: leave it out, or measure decisions.")
    if settings.against != comparison.GRANIAN:
        _release(settings.against, or_else=f"{comparison.GRANIAN}, or ")
    return comparison.run


def _release(against: str, *, or_else: str = "") -> Path:
    """Return the folder of a release. Raises CommandError where there is none."""
    folder = Path(against).resolve()
    if not (folder / "governance" / "wsgi.py").is_file():
        raise CommandError(f"--against takes {or_else}a folder with a release of Assent (git worktree add DIR COMMIT).")
    return folder


def _find_opa() -> str | None:
    return os.environ.get("ASSENT_TEST_OPA") or shutil.which("opa")
