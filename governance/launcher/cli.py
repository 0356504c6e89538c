"""Command line of ``./assent``.

Options of the launcher itself, ``--home`` and ``--port``, may stand before or after the command; what
follows a lone ``--`` is passed on untouched.
"""

import errno
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from governance.launcher import console
from governance.launcher.errors import InstanceError, disk_full, is_disk_full, refused
from governance.launcher.home.home import DEFAULT_HOME
from governance.launcher.home.ports import DEFAULT_PORT, parse_port
from governance.launcher.processes.termination import unwound_by_signals

CHECKOUT = Path(__file__).resolve().parents[2]
DEFAULTS_FLAG = "--data-from-defaults"
_INTERRUPTED = 130

HELP = """\
usage: ./assent [--home DIR] [--port N] COMMAND [ARGUMENT ...]

  up [--certification]            start an instance and keep it running until Ctrl-C
  demo [--exit] [--dataset DIR]   the same with a made-up business, and tell its story
  demo --cells [--exit]           two instances, eu and us, that keep their people apart (port N and the next)
  down                            stop the instance
  status [--json]                 show what runs (exit status 0: ready, 3: not)
  test [--long] [PYTEST ARGUMENT ...]
                                  run the tests against a database made for them; with --long those with large
                                  numbers, and only these
  credentials ARGUMENT ...        service credentials, e.g. credentials create shop --scope decisions
  officers ARGUMENT ...           accounts of officers: create, invite, roles, reset-password, recover, vouch, list
  policy lint|test|build|publish|activate|rollback|diff|list ARGUMENT ...
                                  policies from an editor to the next decision, and back
  cells status|pull|welcome       several instances as one deployment (docs/cells.md)
  registers lint|export|plan|apply
                                  check the registers as a whole; write them to files, draft what files say
  model register MODEL ...        register a version of a model whose engine runs elsewhere
  model served MODEL DAY          which versions served on a day
  model import|export|show|verify MODEL@VERSION
                                  documents of a model's version: card, data sheet, assessments, runbook
  model audit MODEL VERSION       audits of a version's file (exit status 1: a demanded gate fails)
  gate MODEL VERSION [--stage STAGE] [--json]
                                  release gates of a model's version (exit status 1: something is missing)
  verify ARGUMENT ...             check the evidence: audit trail, consent ledger, decision log
  verify-receipt FILE             check a consent receipt or an evidence file; needs no database
  check-deployment FILE ...       judge Terraform plans, compose files and Kubernetes manifests by the residency
                                  rules (exit status 1: findings, 2: unreadable); needs no database
  retention ARGUMENT ...          see and run retention schedules
  decision-log status|drop|export|files
                                  the age of the decision log: what is due, drops, exported files
  scrub [--copies-apart]          remove what was deleted from the database's files, statistics and log
  anonymise FILE ARGUMENT ...     anonymise a CSV or Parquet file; needs no database
  release FILE ARGUMENT ...       make a safe copy of a table and propose it; approve, revoke, verify (docs/releases.md)
  decode-signal tcf|gpp STRING    show what a consent string says (- reads it; exit status 1: refused)
  import-consents FILE ARGUMENT ...
                                  take in choices from another system's CSV or JSON lines
  import-items FILE ARGUMENT ...  take in the catalogue from CSV or JSON lines
  export-consents ARGUMENT ...    write the whole ledger, or what is in force, to a file
  backup FILE                     write an encrypted backup of the database, spool and models (docs/backup.md)
  restore FILE                    restore one into an instance that does not run, and replay the erasure ledger
  replay-erasures                 repeat withdrawals and deletions that a restored database has lost
  bench ARGUMENT ...              measure this installation
  manage ARGUMENT ...             any of Django's commands

  --home DIR   the instance's folder (default: .assent in the checkout); only up and demo make one
  --port N     where it listens on this machine (default: 8000)
  --           everything after it is passed on as it is

--certification loads the users and records of the AuthZEN certification scenario; without it they are gone again.
DATABASE_URL, BROKER_URL and OPA_URL name servers to use instead of the embedded ones.
COMMAND --help tells more about credentials, officers, verify, retention, anonymise, bench, manage, policy,
import-consents, import-items, export-consents and check-deployment."""


@dataclass
class Request:
    """A parsed command line: the launcher's own options, and the words after the command."""

    home: Path
    port: int
    words: list[str]
    literal: list[str] = field(default_factory=list)
    """What stood after a lone ``--``."""

    @property
    def arguments(self) -> list[str]:
        """Return all that is passed on to another program."""
        return self.words + self.literal

    def take_flag(self, name: str) -> bool:
        """Remove a flag from the words and return whether it was there."""
        found = name in self.words
        self.words = [word for word in self.words if word != name]
        return found

    def require_nothing_else(self) -> None:
        """Raise InstanceError if an unknown word is left."""
        if self.arguments:
            raise refused(f"{self.arguments[0]!r} is not understood here; see ./assent --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line and return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with unwound_by_signals():
            return _run(*parse(words))
    except InstanceError as exc:
        console.say(str(exc))
        return exc.exit_code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as exc:
        return _explain(exc)


def parse(words: Sequence[str]) -> tuple[str, Request]:
    """Return the command and the request; raises InstanceError for an option without a usable value."""
    own, literal = _split(words)
    home = take_value(own, "--home")
    port = take_value(own, "--port")
    command = own.pop(0) if own else "help"
    request = Request(
        home=CHECKOUT / DEFAULT_HOME if home is None else Path(home).absolute(),
        port=DEFAULT_PORT if port is None else parse_port(port),
        words=own,
        literal=literal,
    )
    return command, request


def take_value(words: list[str], name: str) -> str | None:
    """Remove every ``NAME VALUE`` and ``NAME=VALUE`` from ``words`` and return the last value.

    Raises InstanceError if the value is missing.
    """
    value = None
    for index in reversed([i for i, word in enumerate(words) if word.split("=")[0] == name]):
        _, joined, found = words[index].partition("=")
        if not joined:
            found = words.pop(index + 1) if index + 1 < len(words) else ""
        if not found:
            raise refused(f"{name} needs a value.")
        words.pop(index)
        value = found if value is None else value
    return value


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    end = words.index("--") if "--" in words else len(words)
    return list(words[:end]), list(words[end + 1 :])


def _run(command: str, request: Request) -> int:
    wants_help = command in _OWN and command not in _WITH_HELP and {"-h", "--help"} & set(request.words)
    if wants_help or command in {"help", "-h", "--help"}:
        console.announce(HELP)
        return 0
    if command in _OWN:
        return _OWN[command](request)
    if command not in _ONE_OFF:
        raise refused(f"{command!r} is not a command; see ./assent --help")
    return _one_off(command, request)


def _up(request: Request) -> int:
    from governance.launcher.instance import run_instance

    certification = request.take_flag("--certification")
    request.require_nothing_else()
    return run_instance(request.home, port=request.port, certification=certification)


def _demo(request: Request) -> int:
    from governance.launcher.demonstration import demonstration
    from governance.launcher.instance import run_instance

    if request.take_flag("--cells"):
        return _demo_cells(request)
    dataset = take_value(request.words, "--dataset")
    demo = demonstration(dataset=dataset, exits=request.take_flag("--exit"))
    request.require_nothing_else()
    return run_instance(request.home, port=request.port, demo=demo)


def _demo_cells(request: Request) -> int:
    from governance.launcher.cells import DEFAULT_FOLDER, run_cells

    exits = request.take_flag("--exit")
    request.require_nothing_else()
    folder = CHECKOUT / DEFAULT_FOLDER if request.home == CHECKOUT / DEFAULT_HOME else request.home
    return run_cells(folder, port=request.port, exits=exits)


def _down(request: Request) -> int:
    from governance.launcher.report import stop_instance

    request.require_nothing_else()
    return stop_instance(request.home)


def _status(request: Request) -> int:
    from governance.launcher.report import show_status

    as_json = request.take_flag("--json")
    request.require_nothing_else()
    return show_status(request.home, as_json=as_json)


def _decode_signal(request: Request) -> int:
    from consent.signals.command import KINDS, decode_signal

    arguments = request.arguments
    if len(arguments) != 2 or arguments[0] not in KINDS:
        raise refused("decode-signal needs tcf or gpp and then one string, or - to read it from standard input.")
    status, document, complaint = decode_signal(*arguments)
    console.announce(document)
    if complaint:
        console.say(complaint)
    return status


def _anonymise(request: Request) -> int:
    from privacy.anonymisation.command import main as anonymise

    return anonymise(request.arguments)


def _test(request: Request) -> int:
    from governance.launcher.testrun import run_tests

    return run_tests(request.arguments)


def _one_off(command: str, request: Request) -> int:
    from governance.launcher.one_off import run_one_off

    if command == "check-deployment" and not _has_register(request.home):
        request.words.append(DEFAULTS_FLAG)
    arguments = request.arguments if command == "manage" else [command.replace("-", "_"), *request.arguments]
    only_asks = bool({"-h", "--help"} & set(request.words))
    return run_one_off(
        request.home,
        port=request.port,
        arguments=arguments,
        needs_database=command not in _WITHOUT_DATABASE and DEFAULTS_FLAG not in request.words and not only_asks,
        needs_instance=command not in _WITHOUT_INSTANCE and not only_asks,
    )


def _has_register(home: Path) -> bool:
    """Return whether there is an instance whose rules can be asked: without one, the shipped defaults are."""
    return "DATABASE_URL" in os.environ or (home / "postgres").exists()


def _explain(error: OSError) -> int:
    """Describe in one sentence what the machine refused."""
    where = error.filename or "the instance's folder"
    if is_disk_full(error):
        console.say(str(disk_full(where)))
    elif error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        console.say(f"{where} cannot be used by this user: {error.strerror}.")
    else:
        console.say(f"The machine refused: {error.strerror or error} ({where}).")
    return 1


_OWN: dict[str, Callable[[Request], int]] = {
    "up": _up,
    "demo": _demo,
    "down": _down,
    "status": _status,
    "test": _test,
    "decode-signal": _decode_signal,
    "anonymise": _anonymise,
}
# They explain themselves.
_WITH_HELP = frozenset({"test", "anonymise"})
_WITHOUT_DATABASE = frozenset({"verify-receipt"})
# What measures or judges by itself has no use for the records of an instance.
_WITHOUT_INSTANCE = _WITHOUT_DATABASE | {"check-deployment", "bench"}
_ONE_OFF = frozenset(
    {
        "manage",
        "verify",
        "credentials",
        "officers",
        "retention",
        "decision-log",
        "scrub",
        "bench",
        "cells",
        "policy",
        "model",
        "gate",
        "registers",
        "import-consents",
        "import-items",
        "export-consents",
        "check-deployment",
        "backup",
        "restore",
        "replay-erasures",
        "release",
        *_WITHOUT_DATABASE,
    }
)
