"""Check the key of the pseudonyms against the database, and take another one where the former is lost."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent import key_check
from consent.models import DataSubject


class Command(BaseCommand):
    help = (
        "Check that SUBJECT_KEY is the key this database was filled under. replace takes the key of this process"
        " instead: the people stored under the former key can no longer be found by their ids."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["check", "replace"], nargs="?", default="check")
        parser.add_argument(
            "--people-become-unknown", action="store_true", help="Needed for replace where people are stored."
        )

    def handle(self, *args: Any, what: str, people_become_unknown: bool, **options: Any) -> None:
        if what == "replace" and not key_check.matches():
            self._replace(accepted=people_become_unknown)
        try:
            key_check.ensure()
        except key_check.WrongSubjectKey as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write("SUBJECT_KEY is the key of this database.")

    def _replace(self, *, accepted: bool) -> None:
        if DataSubject.objects.exists() and not accepted:
            raise CommandError(
                "People are stored under the former key. With --people-become-unknown they stay in the evidence and are"
                " found by nobody's id; import their choices anew under this key."
            )
        key_check.replace(actor="command:subject_key")
