"""Credentials of services: create, list, revoke."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.http.problems import Problem
from policies.endpoints import credentials
from policies.models import ServiceCredential


class Command(BaseCommand):
    help = "Create, list and revoke the credentials of services."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        create = commands.add_parser("create", help="Create a credential; the token is the last line printed.")
        create.add_argument("name")
        create.add_argument("--scope", action="append", choices=ServiceCredential.Scope.values, required=True)
        create.add_argument("--days", type=int, default=365, help="How long it is valid (default 365).")
        create.add_argument(
            "--repeatable-answers",
            action="store_true",
            help="AuthZEN answers leave decision_id out: asked again, they are the same bytes.",
        )
        commands.add_parser("list", help="List credentials and their state.")
        revoke = commands.add_parser("revoke", help="Revoke every credential of this name.")
        revoke.add_argument("name")

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        try:
            getattr(self, f"_{command}")(**options)
        except Problem as problem:
            raise CommandError(problem.detail) from problem

    def _create(self, name: str, scope: list[str], days: int, repeatable_answers: bool = False, **options: Any) -> None:
        if days < 1:
            raise CommandError("--days must be 1 or more.")
        token, credential = credentials.create_credential(
            name=name,
            scopes=scope,
            actor="operator",
            lifetime=timedelta(days=days),
            repeatable_answers=repeatable_answers,
        )
        self.stdout.write(
            f"Credential '{name}' for {', '.join(credential.scopes)}, valid until {credential.expires_at:%Y-%m-%d}. "
            "The token is shown this once:"
        )
        self.stdout.write(token)

    def _list(self, **options: Any) -> None:
        for credential in ServiceCredential.objects.all():
            state = "valid" if credential.is_valid else "revoked" if credential.revoked_at else "expired"
            self.stdout.write(
                f"{credential.name:24} {state:8} until {credential.expires_at:%Y-%m-%d}  {', '.join(credential.scopes)}"
            )

    def _revoke(self, name: str, **options: Any) -> None:
        found = list(ServiceCredential.objects.filter(name=name, revoked_at=None))
        if not found:
            raise CommandError(f"There is no credential named '{name}' to revoke.")
        for credential in found:
            credentials.revoke_credential(credential=credential, actor="operator")
        self.stdout.write(f"{len(found)} revoked; refused from the next request on.")
