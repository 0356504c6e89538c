"""``./assent anonymise``: an anonymised copy of a CSV or Parquet file.

No Django; array libraries are loaded once the question makes sense and the columns of a CSV file are there.
"""

import argparse
import errno
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from privacy.anonymisation.actions import keys, wanted
from privacy.anonymisation.errors import AnonymisationError
from privacy.anonymisation.files.opening import open_table
from privacy.anonymisation.wish import DIVERSITIES, Wish

if TYPE_CHECKING:
    from privacy.anonymisation.tables import FileReport

_REFUSED = 1
_KINDS = (
    "hash[:domain=D], rekey, shift[:days=365], bounds:top=90,bottom=5%%[,k=10], redact[:names_of=COLUMN]; token and "
    "shred in ./assent release"
)
_TERMINATED = 128 + signal.SIGTERM


def main(arguments: Sequence[str]) -> int:
    """Carry out one command line and return the exit status: 0, 1 for a refusal, 2 for a line not understood."""
    try:
        options = _parser().parse_args(list(arguments))
    except SystemExit as exc:  # after help, or a line not understood
        return int(exc.code or 0)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        return _run(options)
    except AnonymisationError as exc:
        return _refuse(str(exc))
    except OSError as exc:
        return _refuse(f"{exc.filename or options.file}: {exc.strerror}.")
    finally:
        signal.signal(signal.SIGTERM, before)


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
    )
    sys.stdout.write("".join(f"{line}\n" for line in _lines(report)))
    return 0


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
    if result.furthest is not None:
        lines.append(
            f"In every class '{report.sensitive}' has {result.fewest_sensitive} distinct values or more, and shares at "
            f"most {result.furthest:.4f} from those of the table ({result.distance} distance)"
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


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """End as after an error: what is half written is removed."""
    sys.exit(_TERMINATED)


def _wish(options: argparse.Namespace) -> Wish:
    return Wish(
        k=options.k,
        sensitive=options.sensitive,
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
    add("--sensitive", metavar="A", help="A column whose values are measured in every class, and limited by -l and -t.")
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
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _listed(file: Path | None) -> frozenset[str]:
    lines = [] if file is None else file.read_text(encoding="utf-8-sig").splitlines()
    return frozenset(line.strip() for line in lines if line.strip())


def _weights(text: str) -> dict[str, float]:
    pairs = [pair.rpartition("=") for pair in _names(text)]
    try:
        return {name.strip(): float(weight) for name, _, weight in pairs}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, by commas") from None
