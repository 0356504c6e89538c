"""``./assent anonymise``: an anonymised copy of a CSV or Parquet file.

No Django; array libraries are loaded once the question makes sense and the columns of a CSV file are there.
"""

import argparse
import errno
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from privacy.anonymisation.actions import keys, wanted
from privacy.anonymisation.errors import AnonymisationError
from privacy.anonymisation.files.opening import open_table
from privacy.anonymisation.wish import DIVERSITIES, Wish

if TYPE_CHECKING:
    from privacy.anonymisation.measuring.presence import Population
    from privacy.anonymisation.tables import FileReport

_REFUSED = 1
_KINDS = (
    "hash[:domain=D], rekey, shift[:days=365], bounds:top=90,bottom=5%%[,k=10], redact[:names_of=COLUMN]; token and "
    "shred in ./assent release"
)


def main(arguments: Sequence[str]) -> int:
    """Carry out one command line and return the exit status: 0, 1 for a refusal, 2 for a line not understood."""
    try:
        options = _parser().parse_args(list(arguments))
    except SystemExit as exc:  # after help, or a line not understood
        return int(exc.code or 0)
    try:
        return _run(options)
    except AnonymisationError as exc:
        return _refuse(str(exc))
    except OSError as exc:
        return _refuse(f"{exc.filename or options.output}: {exc.strerror or exc}.")


def _run(options: argparse.Namespace) -> int:
    names, wish = _names(options.qi), _wish(options)
    wish.check(names)
    drop, keep = _names(options.drop), _names(options.keep)
    actions = wanted.parse_all(options.action)
    wanted.check(actions, wish, names, drop)
    if not options.output.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(options.output.parent))
    table = open_table(options.file)
    table.require([*names, *drop, *keep, *wish.roles, *wanted.columns_of(actions)])
    from common.analytics.workshop import Workshop
    from privacy.anonymisation.actions.acting import Means
    from privacy.anonymisation.tables import anonymise_table

    report = anonymise_table(
        table,
        options.output,
        names,
        wish,
        hierarchies=options.hierarchies,
        drop=drop,
        keep=keep,
        actions=actions,
        means=Means(keys.from_outside(options.keys), names=_listed(options.names)),
        population=_population(options),
        workshop=Workshop(_scratch(), options.engine, options.memory, options.master),
    )
    sys.stdout.write("".join(f"{line}\n" for line in _lines(report)))
    return 0


def _population(options: argparse.Namespace) -> "Population | None":
    if options.population is None:
        return None
    from privacy.anonymisation.measuring.presence import Population

    return Population(open_table(options.population), *options.presence)


def _scratch() -> Path:
    """Return the folder for what an engine spills: of this account, and swept by its next job."""
    return Path(tempfile.gettempdir(), f"assent-anonymise-{os.getuid()}")


def _lines(report: "FileReport") -> list[str]:
    """Return what is said of a success."""
    result = report.result
    counted = "rows" if result.person is None else "people"
    first = (
        f"{result.rows} rows in {result.classes} classes; the smallest has {result.smallest_class} {counted} "
        f"(k = {result.k}); information lost (NCP): {result.ncp:.4f}"
    )
    lines = [first]
    if result.suppressed:
        lines.append(f"{result.suppressed} rows were suppressed")
    if result.of_sensitive:
        lines.extend(
            f"In every class '{name}' has {each.fewest} distinct values or more, and shares at most "
            f"{each.furthest:.4f} from those of the table ({each.distance} distance)"
            for name, each in result.of_sensitive.items()
        )
    if report.presence is not None:
        present = report.presence
        lines.append(
            f"The chance that one of {present.population} people is in the table is {present.least:.4f} to "
            f"{present.most:.4f}; every class covers {present.fewest_covered} or more"
        )
    if report.neutralised:
        lines.append(f"{report.neutralised} cells began like a formula and got an apostrophe before it")
    lines += [wanted.line(each) for each in report.actions]
    if report.linked is not None:
        lines.append(
            f"Joined by pseudonyms, the rows of a person fall into classes that {report.linked.smallest} people share"
        )
    if report.pseudonymous is not None:
        lines.append(report.pseudonymous)
    if report.passed_through:
        lines.append(f"Left as they are, so check that none identifies: {', '.join(report.passed_through)}")
    return lines


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"assent: {sentence}\n")
    return _REFUSED


def _wish(options: argparse.Namespace) -> Wish:
    return Wish(
        k=options.k,
        sensitive=tuple(_names(options.sensitive)),
        l=options.l,
        diversity=options.diversity,
        recursive_c=options.recursive_c,
        t=options.t,
        person=options.person,
        suppress=options.suppress,
        weights=options.weights,
        fast=options.fast,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./assent anonymise",
        description="Generalise the quasi-identifiers of a CSV or Parquet file until every combination is shared by at "
        "least k rows, or people. Beside the copy comes COPY.report.json: what was lost, and the risk that is left.",
    )
    add = parser.add_argument
    add("file", type=Path, help="CSV, or Parquet by its name (.parquet).")
    add("--qi", required=True, metavar="A,B", help="Quasi-identifiers, separated by commas.")
    add("-k", type=int, default=10, help="At least this many rows in a class (default: 10).")
    add("-o", "--output", type=Path, required=True, help="The copy: CSV, or Parquet by its name.")
    add(
        "--sensitive", default="", metavar="A,B", help="Columns measured in every class, and limited by -l and -t each."
    )
    add("-l", type=int, default=1, help="At least this many values of --sensitive in a class.")
    add("--diversity", choices=DIVERSITIES, default="distinct", help="How -l counts (default: distinct).")
    add("--recursive-c", type=float, default=3.0, metavar="C", help="The factor of recursive diversity (default: 3).")
    add("-t", type=float, help="Shares of --sensitive in a class at most this far from the table's (0 to 1).")
    add("--person", metavar="A", help="The column that names the person: k counts people instead of rows.")
    add("--suppress", type=float, default=0.0, metavar="SHARE", help="Rows that may be left out, as a share (0.01).")
    add("--weights", type=_weights, default={}, metavar="A=2,B=0.5", help="What losses count, 1 unless named.")
    add("--fast", action="store_true", help="A quicker method with a greater loss, where only k is asked for.")
    add("--hierarchies", type=Path, metavar="DIR", help="Folder of generalisation hierarchies, COLUMN.csv each.")
    add(
        "--action",
        action="append",
        default=[],
        metavar="COLUMN=KIND[:OPTIONS]",
        help=f"Once for each column: {_KINDS}.",
    )
    add("--keys", type=Path, metavar="FILE", help=f"Keys of pseudonyms, {keys.FORM}; else {keys.VARIABLE}[_FILE].")
    add("--names", type=Path, metavar="FILE", help="Names that 'redact' looks for, one a line.")
    add("--drop", default="", metavar="A,B", help="Columns to leave out (direct identifiers).")
    add("--keep", default="", metavar="A,B", help="Columns to copy although nearly every value is one row's own.")
    add("--population", type=Path, metavar="FILE", help="Public table of all who could be in this one: their presence.")
    add("--presence", type=_chances, default=(0.0, 1.0), metavar="LEAST,MOST", help="Chances of presence (0,1: any).")
    add("--engine", choices=("duckdb", "spark"), default="duckdb", help="SQL for what outgrows memory (duckdb).")
    add("--memory", type=int, default=2048, metavar="MB", help="Memory of that engine (2048).")
    add("--master", default="local[*]", metavar="URL", help="Where Spark runs: this machine, or a cluster's URL.")
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _listed(file: Path | None) -> frozenset[str]:
    lines = [] if file is None else file.read_text(encoding="utf-8-sig").splitlines()
    return frozenset(line.strip() for line in lines if line.strip())


def _chances(text: str) -> tuple[float, float]:
    try:
        least, most = map(float, _names(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not LEAST,MOST") from None
    return least, most


def _weights(text: str) -> dict[str, float]:
    pairs = [pair.rpartition("=") for pair in _names(text)]
    try:
        return {name.strip(): float(weight) for name, _, weight in pairs}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, by commas") from None
