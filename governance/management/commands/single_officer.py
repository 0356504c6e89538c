"""Let one officer bring change sets into force alone, or end it: for installations that have no second one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from oversight.officers import single


class Command(BaseCommand):
    help = "Say whether this installation has a single officer, whose change sets no other approves."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("state", choices=["on", "off", "show"])

    def handle(self, *args: Any, state: str, **options: Any) -> None:
        if state != "show":
            single.switch(on=state == "on")
        said = "A single officer: change sets are applied alone." if single.is_single() else "Two officers are needed."
        self.stdout.write(said)
