"""Accept that the database is older than the newest head in the home, as after a restore."""

from typing import Any

from django.core.management.base import BaseCommand

from audit import trail
from governance.evidence import heads


class Command(BaseCommand):
    help = "Accept a database older than the last head in the home; choices and deletions since are lost."

    def handle(self, *args: Any, **options: Any) -> None:
        if not heads.accept_restore(actor="operator"):
            self.stdout.write("The database holds the newest head in the home. Nothing to accept.")
            return
        trail.anchor()
        self.stdout.write("Accepted, and recorded in the audit trail. Repeat the withdrawals since the backup.")
