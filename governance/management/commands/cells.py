"""Cells of one deployment: where this cell stands, the primary's rules, another cell's credential."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import signing
from governance.launcher.home.home import write_private
from personalization.cells import SUBJECT_ROUTES as OF_EVENTS
from policies.bundles import loading
from policies.cells import replication
from policies.cells.routes import SUBJECT_ROUTES
from policies.cells.table import Table
from policies.endpoints import credentials
from policies.models import ActiveBundle, AppliedRelease

# What a cell may be asked by another one for its callers: the scope of each way in, apart from pulling the rules.
_SCOPES = ("cells", *sorted({route.scope for route in (*SUBJECT_ROUTES.values(), *OF_EVENTS.values())}))


class Command(BaseCommand):
    help = (
        "Where this cell stands, pull the primary cell's rules now, or make what another cell needs to call this one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("status", help="The cells, and how old the primary's rules are here.")
        commands.add_parser("pull", help="Take over what is in force in the primary cell.")
        welcome = commands.add_parser("welcome", help="Make a credential for another cell and write it to a file.")
        welcome.add_argument("name", help="The other cell's name.")
        welcome.add_argument("--token-file", type=Path, required=True, help="Where the token goes, for its owner only.")
        welcome.add_argument(
            "--keys-file", type=Path, help="Where the keys go that this cell's releases are signed by."
        )

    def handle(self, *args: Any, command: str, **options: Any) -> None:
        getattr(self, f"_{command}")(**options)

    def _welcome(self, name: str, token_file: Path, keys_file: Path | None, **options: Any) -> None:
        token, credential = credentials.create_credential(name=f"cell-{name}", scopes=_SCOPES, actor="operator")
        write_private(token_file, token)
        self.stdout.write(
            f"Cell '{name}' may call until {credential.expires_at:%Y-%m-%d} with what is in {token_file}."
        )
        if keys_file is not None:
            signing.current_key()
            write_private(keys_file, json.dumps(signing.published_keys()))
            self.stdout.write(f"It checks releases with the public keys in {keys_file}.")

    def _pull(self, **options: Any) -> None:
        try:
            applied = replication.follow()
        except replication.NotFollowed as exc:
            raise CommandError(str(exc)) from exc
        if applied is None:
            raise CommandError("This installation follows nobody: it stands alone, or is the primary cell.")
        self.stdout.write(f"In force: the primary's {applied}.")

    def _status(self, **options: Any) -> None:
        table: Table | None = settings.CELLS
        if table is None:
            raise CommandError("This installation stands alone; CELL and CELLS_FILE make it a cell.")
        known = _known_regions()
        for cell in table.cells:
            marks = [
                word for word, holds in (("this one", cell == table.own), ("primary", cell == table.primary)) if holds
            ]
            unknown = "" if cell.processing_region in known else "  NO PROCESSING REGION OF THE REGISTER"
            self.stdout.write(f"{cell.name:16} {cell.processing_region:16} {cell.url}  {', '.join(marks)}{unknown}")
        applied = AppliedRelease.objects.first()
        if not table.is_primary:
            said = f"{applied}, confirmed {applied.confirmed_at:%Y-%m-%d %H:%M:%S}" if applied else "not arrived yet"
            self.stdout.write(f"Rules of the primary: {said}")


def _known_regions() -> set[str]:
    bundle = loading.usable(ActiveBundle.objects.values_list("bundle_id", flat=True).first())
    return set(bundle.data["residency"]["processing"]) if bundle else set()
