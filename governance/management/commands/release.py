"""Releases of tables on the shell: a file made safe and proposed by one command; approval, revocation, verification."""

import json
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit import signing
from common.http.problems import Problem
from oversight.officers.accounts import officer
from privacy.anonymisation.actions import wanted
from privacy.budgets import ledger
from privacy.models import PrivacyBudget, TableRelease, UploadedTable
from privacy.releases import gate, publishing, running, uploads, verifying
from privacy.releases.asking import Asked, ask
from privacy.releases.inputs import sources, trees
from privacy.releases.noisy.asking import Noise, NoisyAsked, Plan
from privacy.releases.profiling import Profile, Role, beginning
from privacy.releases.pseudonyms import vault
from privacy.releases.subjects import APPROVE, PREPARE

_ACTIONS = (
    "What becomes of a column, once for each: hash[:domain=D], rekey, token, shred, shift[:days=365],"
    " bounds:top=90,bottom=5%%[,k=10], redact[:names_of=COLUMN]."
)


class Command(BaseCommand):
    help = (
        "Release a table: 'release FILE --qi A,B -k 10 --to PARTY --purpose PURPOSE --people GROUP --region REGION"
        " --as NAME' uploads FILE (or takes one that was uploaded, by its identifier), makes a safe copy and proposes"
        " it; 'release data-set NAME ...' does the same with the rows of a registered data set. 'approve', 'refuse' and"
        " 'revoke' RELEASE as an officer; 'list'; 'show' and 'fetch' RELEASE; 'verify MANIFEST FILE';"
        " 'reveal TOKEN --as NAME --reason WHY' opens a pseudonym of the vault."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("what", metavar="FILE", help=f"A table to release, or one of: {', '.join(self._actions())}.")
        add("which", nargs="*", help="A release; with 'verify' a manifest and a file; with 'data-set' its name.")
        add("--as", dest="person", metavar="NAME", help="The officer whose act it is.")
        add("--reason", default="", help="Why: shown to the second officer, and kept.")
        add("--qi", type=_names, default=[], metavar="A,B", help="Quasi-identifiers, by commas.")
        add("-k", type=int, default=10, help="At least this many rows, or people, in a class (10).")
        add("--sensitive", type=_names, default=[], metavar="A,B", help="Columns that -l and -t limit in every class.")
        add("-l", type=int, default=1, help="At least this many values of --sensitive in a class.")
        add("-t", type=float, help="Shares of --sensitive in a class at most this far from the table's (0 to 1).")
        add("--person", dest="person_column", metavar="A", help="The column that names the person; it is left out.")
        add("--suppress", type=float, default=0.0, metavar="SHARE", help="Rows that may be left out, as a share.")
        add("--fast", action="store_true", help="A quicker method with a greater loss, where only k is asked for.")
        add("--hierarchies", type=Path, metavar="DIR", help="Folder of generalisation hierarchies, COLUMN.csv each.")
        add("--drop", type=_names, default=[], metavar="A,B", help="Columns to leave out.")
        add("--keep", type=_names, default=[], metavar="A,B", help="Columns to copy; all others are as suggested.")
        add("--action", action="append", default=[], metavar="COLUMN=KIND[:OPTIONS]", help=_ACTIONS)
        add("--epsilon", help="Release noisy tables instead, at this cost: needs --budget, --table, --values.")
        add("--budget", metavar="DATA_SET", default="", help="The data set whose budget pays for noisy tables.")
        add("--table", action="append", type=_names, default=[], metavar="A,B", help="Columns of a noisy table.")
        add("--values", action="append", default=[], metavar="A=X,Y", help="Public values: 'A=X,Y' or 'A=0..90 by 10'.")
        add("--noise", default="geometric", help="'geometric', or 'gaussian' where the budget has a delta.")
        add("--rows-each", type=int, default=1, metavar="N", help="Rows of one person that count (1).")
        add("--to", action="append", default=[], metavar="PARTY", help="A receiver, of the register of parties.")
        add("--purpose", default="", help="The purpose it serves, of the register.")
        add("--people", default="", metavar="GROUP", help="The group of regions whose people the table is about.")
        add("--region", default="", help="The region where the receiver keeps it.")
        add("--days", type=int, default=90, help="How long it is in force (90).")
        add("--keep-days", type=int, default=uploads.KEPT_DAYS, help="How long the uploaded file is kept.")
        add("--preview", action="store_true", help="Make the copy and show what the policy says; propose nothing.")
        add("-o", "--output", type=Path, help="With 'fetch': the folder for copy and manifest.")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        actions = self._actions()
        try:
            actions[what](options) if what in actions else self._release(what, options)
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        except OSError as exc:
            raise CommandError(f"{exc.filename}: {exc.strerror}.") from exc

    def _actions(self) -> Mapping[str, Callable[[dict[str, Any]], None]]:
        """Return the words that are no file, and what each does."""
        return {
            "data-set": self._data_set,
            "approve": self._approve,
            "refuse": self._refuse,
            "revoke": self._revoke,
            "list": self._list,
            "show": self._show,
            "fetch": self._fetch,
            "verify": self._verify,
            "reveal": self._reveal,
        }

    def _release(self, file: str, options: dict[str, Any]) -> None:
        actor = self._officer(options, PREPARE)
        table = _uploaded(file) or uploads.take_file(Path(file), actor=actor, days=options["keep_days"])
        self._prepare(table, actor, options)

    def _data_set(self, options: dict[str, Any]) -> None:
        actor = self._officer(options, PREPARE)
        table = sources.take("".join(options["which"]), actor=actor, days=options["keep_days"])
        self._prepare(table, actor, options)

    def _prepare(self, table: UploadedTable, actor: str, options: dict[str, Any]) -> None:
        asked = _noisy(options) if options["epsilon"] is not None else _asked(table, options)
        if isinstance(asked, NoisyAsked):
            self._planned(table, asked)
            if options["preview"]:
                return
        row = ask(table, asked, actor=actor, state=TableRelease.State.RUNNING)
        running.carry_out(row)
        if row.state == TableRelease.State.FAILED:
            raise CommandError(row.error)
        if not row.is_noisy:
            self._summarise(row)
        if options["preview"]:
            self._judged(row)
            return
        publishing.propose(row, actor=actor, reason=options["reason"])
        self.stdout.write(f"Proposed: {row.pk}. Another officer approves it on its page, or by")
        self.stdout.write(f"  ./assent release approve {row.pk} --as NAME")

    def _planned(self, table: UploadedTable, asked: NoisyAsked) -> None:
        """Say what noisy tables will cost and how exact they will be. Nothing of it is from the data."""
        asked.check(table)
        plan = Plan.of(asked)
        left = ledger.balance(PrivacyBudget.objects.get(data_set=asked.noise.data_set)).left
        self.stdout.write(
            f"Cost: epsilon {asked.epsilon}, delta {plan.charge.delta.normalize():f}, of the budget of"
            f" “{asked.noise.data_set}”: {left.normalize():f} is left in this window"
        )
        for name, cells, margin in plan.tables:
            self.stdout.write(f"Table {name}: {cells:,} cells, each count within ± {margin:,} (95 %)")
        verdict = gate.ask(asked.facts())
        self._say(verdict)

    def _summarise(self, row: TableRelease) -> None:
        report, figures = row.report or {}, row.figures or {}
        result, risk = report["result"], report["result"]["risk"]
        self.stdout.write(f"Table {row.table_id}: {row.table.rows:,} rows, SHA-256 {row.table.sha256[:16]}")
        roles = ", ".join(f"{name} ({role})" for name, role in row.asked["roles"].items())
        self.stdout.write(f"Columns: {roles}")
        self.stdout.write(
            f"Copy: {result['classes']:,} classes, the smallest {result['smallest_class']} (before:"
            f" {figures['smallest_before']}); information lost (NCP) {result['ncp']:.4f}"
        )
        self.stdout.write(
            f"Risk: prosecutor {risk['prosecutor']:.3f}, marketer {risk['marketer']:.4f}; rows of their own"
            f" {100 * risk['unique_before']:.1f} % before, {100 * risk['unique_after']:.1f} % after"
        )
        for said in report["actions"]:
            self.stdout.write(wanted.line(said))
        if report["linked"] is not None:
            self.stdout.write(
                f"Joined by pseudonyms: {report['linked']['smallest']} people share all classes of a person"
            )
            self.stdout.write(report["pseudonymous"])
        for each in figures["attacks"]:
            beyond = "too few rows" if each["excess"] is None else f"{100 * each['excess']:.1f} % beyond it"
            self.stdout.write(
                f"Attack, {each['name']}: hits {100 * each['rate']:.1f} % of {each['tries']:,} who are in it,"
                f" {100 * each['control']:.1f} % of the control ({beyond})"
            )
        for each in figures["overlaps"]:
            self.stdout.write(f"Laid on release {each['release']}: {each['smallest']} left of a person's class")

    def _judged(self, row: TableRelease) -> None:
        self._say(publishing.verdict_of(row))

    def _say(self, verdict: gate.Verdict) -> None:
        self.stdout.write(f"Policy {verdict.revision}: {'may leave' if verdict.is_permitted else 'may not leave'}")
        for reason in (*verdict.reasons, *verdict.warnings):
            self.stdout.write(f"  {reason.code}: {reason.sentence}")

    def _approve(self, options: dict[str, Any]) -> None:
        row = self._found(options)
        actor = self._officer(options, APPROVE)
        row = publishing.approve(row, actor=actor, seen=row.digest, reason=options["reason"])
        self.stdout.write(f"Published until {row.expires_at:%Y-%m-%d} for {', '.join(row.receivers)}.")

    def _refuse(self, options: dict[str, Any]) -> None:
        row = self._found(options)
        actor = self._officer(options, APPROVE)
        publishing.refuse(row, actor=actor, seen=row.digest, reason=options["reason"])
        self.stdout.write("Refused: nothing of it leaves.")

    def _revoke(self, options: dict[str, Any]) -> None:
        publishing.revoke(self._found(options), actor=self._officer(options, PREPARE), reason=options["reason"])
        self.stdout.write("Revoked: from now on it is handed to no one.")

    def _list(self, _options: dict[str, Any]) -> None:
        for row in TableRelease.objects.select_related("table"):
            state = row.get_stage_display() if row.state == row.State.DONE else row.get_state_display()
            self.stdout.write(f"{row.pk}  {state:18} {row.table.name}  {row.protection}  {', '.join(row.receivers)}")

    def _show(self, options: dict[str, Any]) -> None:
        row = self._found(options)
        self.stdout.write(json.dumps(row.document, indent=1, ensure_ascii=False) if row.document else row.error)

    def _fetch(self, options: dict[str, Any]) -> None:
        row, actor = self._found(options), self._officer(options, APPROVE)
        if not row.is_in_force(timezone.now()):
            raise CommandError("This release is not in force.")
        folder = options["output"] or Path()
        with publishing.hand_out(row, actor=actor, party="operator") as copy:
            (folder / row.file_name).write_bytes(copy.read())
        (folder / row.manifest_name).write_text(row.manifest)
        self.stdout.write(f"{row.file_name} and {row.manifest_name} are in {folder}.")

    def _verify(self, options: dict[str, Any]) -> None:
        try:
            manifest, file = map(Path, options["which"])
        except ValueError:
            raise CommandError("Name the manifest and the file: release verify MANIFEST FILE.") from None
        trusted = {key["kid"]: key for key in signing.published_keys()["keys"]}
        try:
            said, kid = verifying.verify(manifest, file, now=timezone.now(), trusted=trusted)
        except verifying.NotTheRelease as refused:
            raise CommandError(str(refused)) from refused
        row = TableRelease.objects.filter(pk=said["release"]).first()
        if row is not None and row.stage == row.Stage.REVOKED:
            raise CommandError("The file is genuine, and the release was revoked.")
        until = datetime.fromisoformat(said["expires_at"])
        self.stdout.write(
            f"Genuine: release {said['release']} for {', '.join(said['asked']['receivers'])}, {_protection(said)},"
            f" until {until:%Y-%m-%d}, approved by {said['approved']['by']}, signed with {kid}."
        )

    def _reveal(self, options: dict[str, Any]) -> None:
        actor = self._officer(options, vault.REVEAL)
        groups = Group.objects.filter(user__username=options["person"]).order_by("name")
        for text in options["which"]:
            value = vault.reveal(
                text, actor=actor, reason=options["reason"], groups=list(groups.values_list("name", flat=True))
            )
            self.stdout.write(f"{text}  {value}")

    def _found(self, options: dict[str, Any]) -> TableRelease:
        try:
            pk = UUID("".join(options["which"]))
            found: TableRelease = TableRelease.objects.select_related("table").get(pk=pk)
        except (ValueError, TableRelease.DoesNotExist) as exc:
            raise CommandError("There is no such release. 'release list' lists them.") from exc
        return found

    def _officer(self, options: dict[str, Any], right: str) -> str:
        if options["person"] is None:
            raise CommandError("Say as whom: --as NAME.")
        return officer(options["person"], right=right)


def _uploaded(name: str) -> UploadedTable | None:
    """Return the uploaded table of an identifier; None for what is a file's name."""
    try:
        return UploadedTable.objects.filter(pk=UUID(name)).first()
    except ValueError:
        return None


def _asked(table: UploadedTable, options: dict[str, Any]) -> Asked:
    """Return what the line asks for; columns that it does not name have the roles that are suggested."""
    roles: dict[str, str] = dict(beginning(Profile(**column) for column in table.columns))
    if options["qi"]:  # who names quasi-identifiers names all of them
        roles = {name: Role.OTHER if role == Role.QUASI else role for name, role in roles.items()}
    given = {Role.QUASI: options["qi"], Role.DIRECT: options["drop"], Role.OTHER: options["keep"]}
    person = [options["person_column"]] if options["person_column"] else []
    for role, names in ((Role.SENSITIVE, options["sensitive"]), (Role.PERSON, person)):
        if names:
            roles = {each: Role.OTHER if before == role else before for each, before in roles.items()}
            given[role] = names
    roles |= {name: role for role, names in given.items() for name in names}
    return Asked(
        roles=roles,
        k=options["k"],
        l=options["l"],
        t=options["t"],
        suppress=options["suppress"],
        fast=options["fast"],
        hierarchies=trees.take_folder(options["hierarchies"], table),
        purpose=options["purpose"],
        receivers=tuple(options["to"]),
        people=options["people"],
        region=options["region"],
        days=options["days"],
        reason=options["reason"],
        actions=tuple(options["action"]),
    )


def _noisy(options: dict[str, Any]) -> NoisyAsked:
    """Return the noisy tables that the line asks for."""
    values = dict(each.partition("=")[::2] for each in options["values"])
    return NoisyAsked(
        noise=Noise(
            data_set=options["budget"],
            mechanism=options["noise"],
            epsilon=options["epsilon"],
            tables=tuple(tuple(names) for names in options["table"]),
            domains={name.strip(): text for name, text in values.items()},
            person=options["person_column"],
            rows_each=options["rows_each"],
        ),
        purpose=options["purpose"],
        receivers=tuple(options["to"]),
        people=options["people"],
        region=options["region"],
        days=options["days"],
        reason=options["reason"],
    )


def _protection(manifest: dict[str, Any]) -> str:
    asked = manifest["asked"]
    return f"epsilon = {asked['noise']['epsilon']}" if "noise" in asked else f"k = {asked['k']}"


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ArgumentTypeError("no column is named")
    return names
