"""Run a part of the story of two cells, at the US cell; fail if any step differs from what it must be."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.demo import cells_story, people
from governance.demo.cast import cast, dataset_name
from governance.demo.client import ServiceClient
from governance.demo.narrator import Narrator
from governance.demo.register import ACTOR
from governance.launcher.home.home import open_home
from policies.endpoints import credentials

_STEPS_BEFORE = {"both": 0, "alone": 6, "again": 8}


class Command(BaseCommand):
    help = "Tell a part of the story of two cells, at the door of the US cell."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("part", choices=list(_STEPS_BEFORE))
        parser.add_argument("--person", required=True, help="The business's id of the person it is about.")
        parser.add_argument("--eu", type=Path, required=True, help="The home of the EU cell.")

    def handle(self, *args: Any, part: str, person: str, eu: Path, **options: Any) -> None:
        narrator = Narrator(steps_before=_STEPS_BEFORE[part])
        scopes = ["consents", "decisions", "events", "recommendations"]
        token, credential = credentials.create_credential(name="demo-shop", scopes=scopes, actor=ACTOR)
        scene = cells_story.Scene(
            person=person,
            us=open_home(settings.ASSENT_HOME),
            eu=open_home(eu),
            service=ServiceClient(settings.PUBLIC_URL, token),
            narrator=narrator,
        )
        if part == "both":
            data = people.load_dataset(None)
            cells_story.both_run(scene, [item for item, _title in cast(data, dataset_name(None)).likes])
        elif part == "alone":
            cells_story.alone(scene)
        else:
            cells_story.again(scene)
        credentials.revoke_credential(credential=credential, actor=ACTOR)
        if narrator.failures:
            raise CommandError("The story did not come out as it must: " + "; ".join(narrator.failures))
