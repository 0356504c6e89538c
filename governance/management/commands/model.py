"""Models from the command line: engines elsewhere, documents in and out, what is lacking, and what is true."""

import hashlib
import sys
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.http.problems import Problem
from common.http.rest import read_document
from common.levels import LEVELS
from model_registry import history
from model_registry.documents import keeping
from model_registry.documents.files import archives
from model_registry.documents.kinds import KINDS
from model_registry.documents.printing import writing
from model_registry.documents.reading import MAX_BYTES
from model_registry.external import registration
from model_registry.external.bodies import RegisterBody
from model_registry.models import Model, ModelVersion
from personalization.audits import command as audits
from personalization.audits.suite import AUDITS
from personalization.verification import telling, verifying

_OF_MODELS = ("register", "served")  # of a model, not of one of its versions


class Command(BaseCommand):
    help = (
        "Register a version whose engine runs elsewhere; take documents of a version in, write them out, show"
        " what it has and lacks, and audit it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        forms = [*keeping.FORMS, keeping.NATIVE]
        taken = commands.add_parser("import", help="Take a document in. Exit status 1: refused, with its line.")
        taken.add_argument("model", metavar="MODEL@VERSION")
        taken.add_argument("file", type=Path)
        taken.add_argument("--form", choices=forms, help="Form of the file (default: by its name and content).")
        taken.add_argument("--kind", choices=list(KINDS), default="card", help="Kind of a document in our own JSON.")
        given = commands.add_parser("export", help="Write a document to standard output.")
        given.add_argument("model", metavar="MODEL@VERSION")
        given.add_argument("--kind", choices=list(KINDS), default="card")
        given.add_argument("--form", choices=writing.FORMS, default=keeping.NATIVE)
        verified = commands.add_parser(
            "verify",
            help="Recompute every figure and digest from the bytes. Exit status 1: something differs or is missing.",
        )
        verified.add_argument("model", metavar="MODEL")
        verified.add_argument("number", metavar="VERSION", nargs="?", help="May stand behind MODEL@ as well.")
        verified.add_argument("--json", action="store_true", dest="as_json")
        shown = commands.add_parser("show", help="Show a version's documents, how complete each is, and what it lacks.")
        shown.add_argument("model", metavar="MODEL@VERSION")
        _add_register(commands)
        served = commands.add_parser("served", help="Show which versions served on a day, from the audit trail.")
        served.add_argument("model", metavar="MODEL", help="The model's short name.")
        served.add_argument("day", type=date.fromisoformat, help="The day (UTC), such as 2026-11-29.")
        _add_audit(commands)

    def handle(self, *args: Any, command: str, model: str, **options: Any) -> None:
        try:
            if command in _OF_MODELS:
                getattr(self, f"_{command}")(model, **options)
                return
            if number := options.pop("number", None):
                model = f"{model}@{number}"
            getattr(self, f"_{command}")(_version(model), **options)
        except Problem as refused:
            members = "".join(f" {name}: {'; '.join(what)}." for name, what in (refused.errors or {}).items())
            raise CommandError(refused.detail + members, returncode=1) from None

    def _register(self, slug: str, **options: Any) -> None:
        names = ("label", "name", "description", "sha256", "endpoint", "max_level")
        said = {name: options[name] for name in names if options[name] is not None}
        if options["file"]:
            said["sha256"] = _sha256(options["file"])
        body = read_document(RegisterBody, {**said, "purposes": options["purposes"] or []})
        done = registration.register(slug, body, actor="operator")
        note = "registered as a draft" if done.is_new else "registered already, nothing is changed"
        self.stdout.write(f"{done.version}: {note}.")

    def _served(self, slug: str, day: date, **_options: Any) -> None:
        model = Model.objects.filter(slug=slug).first()
        if model is None:
            raise CommandError(f"There is no model “{slug}”.", returncode=1)
        found = history.on_day(model, day)
        for each in found:
            end = f"{each.end:%Y-%m-%d %H:%M:%S}" if each.end else "now"
            self.stdout.write(
                f"{each.version}: {each.status} {each.begin:%Y-%m-%d %H:%M:%S} to {end} UTC, by {each.by}"
            )
        if not found:
            self.stdout.write(f"No version of {slug} served on {day}.")

    def _import(self, version: ModelVersion, file: Path, form: str | None, kind: str, **_options: Any) -> None:
        try:
            with file.open("rb") as opened:
                data = opened.read(MAX_BYTES + 1)
        except OSError as exc:
            raise CommandError(f"{file} cannot be read: {exc.strerror}.", returncode=1) from None
        for row in archives.take_in(version, file.name, data, actor="operator", form=form or "", kind=kind):
            self.stdout.write(f"{KINDS[row.kind].title}, revision {row.revision}: {row.score} of 100.")

    def _export(self, version: ModelVersion, kind: str, form: str, **_options: Any) -> None:
        row = keeping.current(version, kind)
        if row is None:
            raise CommandError(f"{version} has no {KINDS[kind].title.lower()}.", returncode=1)
        data = writing.written(row, form)
        sys.stdout.buffer.write(data)
        if lost := keeping.not_carried(row, form, data):
            self.stderr.write(f"Not carried over, as the form has no place for it: {', '.join(lost)}.")

    def _audit(self, version: ModelVersion, only: str, as_json: bool, **_options: Any) -> None:
        names = [name.strip() for name in only.split(",") if name.strip()]
        failed = audits.audit(version, only=names, as_json=as_json, say=self.stdout.write, note=self.stderr.write)
        if failed:
            raise CommandError(f"{version} fails: {', '.join(failed)}.", returncode=1)

    def _verify(self, version: ModelVersion, as_json: bool, **_options: Any) -> None:
        report = verifying.verify(version)
        verifying.record(version, report, actor="operator")
        self.stdout.write(telling.as_json(version, report) if as_json else telling.as_text(version, report))
        if report.bad:
            sys.exit(1)

    def _show(self, version: ModelVersion, **_options: Any) -> None:
        self.stdout.write(f"{version}: {version.get_status_display()}")
        for kind, described in KINDS.items():
            row = keeping.current(version, kind)
            if row is None:
                self.stdout.write(f"  {described.title}: none")
                continue
            late = ", out of date: what the version may do has changed" if keeping.is_out_of_date(row) else ""
            self.stdout.write(f"  {described.title}: revision {row.revision}, {row.score} of 100{late}")
            for each in described.missing(keeping.document_of(row)):
                self.stdout.write(f"    missing: {each}")


def _add_register(commands: Any) -> None:
    new = commands.add_parser("register", help="Register a version whose engine runs elsewhere, as a draft.")
    new.add_argument("model", metavar="MODEL", help="The model's short name.")
    new.add_argument("--label", required=True, help="Your own name of the version, such as 2026-11-29.")
    known = new.add_mutually_exclusive_group()
    known.add_argument("--sha256", help="SHA-256 of the file that the engine serves.")
    known.add_argument("--file", type=Path, help="The file itself; only its SHA-256 is kept.")
    new.add_argument("--endpoint", help="Where the engine answers; it is shown and never called.")
    new.add_argument("--purpose", action="append", dest="purposes", help="A purpose it may serve; repeatable.")
    new.add_argument("--level", choices=list(LEVELS), dest="max_level", help="Most personal level (default: none).")
    new.add_argument("--name", help="The model's name, where it is new.")
    new.add_argument("--description", help="What it is, where it is new.")


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as exc:
        raise CommandError(f"{file} cannot be read: {exc.strerror}.", returncode=1) from None


def _add_audit(commands: Any) -> None:
    audited = commands.add_parser("audit", help="Audit a version's file. Exit status 1: a demanded gate fails.")
    audited.add_argument("model", metavar="MODEL")
    audited.add_argument("number", metavar="VERSION", nargs="?", help="Or MODEL@VERSION in one word.")
    audited.add_argument("--only", default="", help=f"Some of {', '.join(AUDITS)}, with commas.")
    audited.add_argument("--json", action="store_true", dest="as_json", help="The whole signed document.")


def _version(name: str) -> ModelVersion:
    slug, _, number = name.partition("@")
    found = ModelVersion.objects.filter(model__slug=slug).select_related("model")
    version = found.filter(version=number).first() if number.isdecimal() and number.isascii() else None
    if version is None:
        raise CommandError(f"There is no version “{name}”. Name one as MODEL@VERSION, such as house-recommender@3.")
    return version
