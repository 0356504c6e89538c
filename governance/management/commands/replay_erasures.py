"""Replay the erasure ledger over the database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import trail
from governance.backup import archive
from governance.evidence import heads
from privacy.erasures import ledger, replaying


class Command(BaseCommand):
    help = "Repeat the withdrawals and deletions of the erasure ledger that the database does not have."

    def handle(self, *args: Any, **options: Any) -> None:
        if not ledger.exists():
            raise CommandError("There is no erasure ledger here. Put it back from its second place first.")
        try:
            done = replaying.replay(actor="operator")
        except (ledger.LedgerBroken, ledger.LedgerMissing) as exc:
            raise CommandError(str(exc)) from exc
        heads.accept_restore(actor="operator")
        trail.anchor()
        archive.replay_due().unlink(missing_ok=True)
        self.stdout.write(
            f"{done.lines:,} lines of the erasure ledger: {done.withdrawals:,} withdrawals repeated, "
            f"{done.erasures:,} people erased again, "
            f"{done.deletions:,} rows deleted again, {done.unknown:,} about people who are not in this database."
        )
