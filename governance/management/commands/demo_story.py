"""Run the demonstration's story over the running instance's API; fail if any step differs from what it must be."""

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.demo import people, register, story
from governance.demo.cast import cast, dataset_name
from governance.demo.client import ServiceClient
from governance.demo.narrator import Narrator
from policies.endpoints import credentials


class Command(BaseCommand):
    help = "Tell the demonstration's story over the running instance's API."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dataset", type=Path, help="Folder of the UCI Restaurant & consumer files.")

    def handle(self, *args: Any, dataset: Path | None, **options: Any) -> None:
        narrator = Narrator()
        token, credential = credentials.create_credential(
            name="demo-shop", scopes=credentials.SERVICE_SCOPES, actor=register.ACTOR
        )
        service = ServiceClient(settings.PUBLIC_URL, token)
        person = cast(people.load_dataset(dataset), dataset_name(dataset))
        story.tell(person, service, narrator)
        link = service.post("/api/v1/dashboard-links", {"subject": person.body()}).document
        password = secrets.token_urlsafe(12)
        register.reset_officer(password)
        credentials.revoke_credential(credential=credential, actor=register.ACTOR)
        narrator.end(
            [
                ("Privacy dashboard", f"{link.get('url')}  (works once, for 15 minutes)"),
                ("Admin", f"{settings.PUBLIC_URL}/admin/  user 'officer', password '{password}'"),
                ("API docs", f"{settings.PUBLIC_URL}/api/docs"),
                (
                    "Own credential",
                    f"./assent credentials create NAME --scope decisions{settings.HOME_OPTION}",
                ),
            ]
        )
        if narrator.failures:
            raise CommandError("The story did not come out as it must: " + "; ".join(narrator.failures))
