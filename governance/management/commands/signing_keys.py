"""Show, export and rotate the keys that sign evidence and policy bundles."""

import json
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit import signing, trail
from audit.models import SigningKey
from policies.bundles import bundle_keys
from privacy.erasures import noting


class Command(BaseCommand):
    help = (
        "List the keys that sign evidence, make a new one (retired ones stay published), or print the current one"
        " (pem)."
        " Each has one beside it that signs bundles: print that (bundle-pem, or opa: as deploy/opa/pull.yaml takes it)."
        " jwks prints all of them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        choices = ["list", "rotate", "pem", "bundle-pem", "opa", "jwks"]
        parser.add_argument("what", choices=choices, nargs="?", default="list")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if what == "rotate":
            signing.rotate(actor="command:signing_keys")
            trail.anchor()
            noting.note()  # before a head is signed by it: a restore knows the key from the erasure ledger
        printers: dict[str, Callable[[], str]] = {
            "pem": lambda: signing.public_pem(signing.current_key()),
            "bundle-pem": lambda: bundle_keys.current().public_pem(),
            "opa": _for_opa,
            "jwks": lambda: json.dumps(bundle_keys.published(), indent=2) + "\n",
        }
        self.stdout.write(printers.get(what, _listed)(), ending="")


def _for_opa() -> str:
    key = bundle_keys.current()
    return f"ASSENT_KEY_ID={key.kid}\nASSENT_PUBLIC_KEY={''.join(key.public_pem().splitlines()[1:-1])}\n"


def _listed() -> str:
    usable = {key.kid for key in signing.usable_keys()}
    lines = []
    for key in SigningKey.objects.all():
        state = f"retired {key.retired_at:%Y-%m-%d %H:%M}" if key.retired_at else "signs"
        if key.retired_at and key.kid in usable:
            state += (
                f"; the bundle key beside it can be asked for until {key.retired_at + signing.GRACE:%Y-%m-%d %H:%M}"
            )
        lines.append(f"{key.kid}  made {key.created_at:%Y-%m-%d %H:%M}  {state}\n")
    return "".join(lines)
