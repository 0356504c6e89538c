"""See, export and rotate the keys that sign evidence."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit import signing
from audit.models import SigningKey


class Command(BaseCommand):
    help = "List the keys that sign evidence, make a new one (retired ones stay published), or print the current one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["list", "rotate", "pem"], nargs="?", default="list")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if what == "rotate":
            signing.rotate(actor="command:signing_keys")
        current = signing.current_key()
        if what == "pem":
            self.stdout.write(signing.public_pem(current), ending="")
            return
        for key in SigningKey.objects.all():
            state = f"retired {key.retired_at:%Y-%m-%d %H:%M}" if key.retired_at else "signs"
            self.stdout.write(f"{key.kid}  made {key.created_at:%Y-%m-%d %H:%M}  {state}")
