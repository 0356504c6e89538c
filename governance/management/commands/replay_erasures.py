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
            heads.accept_restore(actor="operator")
        except (ledger.LedgerBroken, ledger.LedgerMissing) as exc:
            raise CommandError(str(exc)) from exc
        except heads.NotAHead as exc:
            raise CommandError(
                f"The ledger was replayed, but the newest head in heads/ of the home cannot be compared: {exc}. Where"
                " its key is of a former SECRET_KEY, name that in SECRET_KEY_FALLBACKS. Otherwise compare by hand, move"
                " heads/ out of the home, and run this again."
            ) from exc
        trail.anchor()
        archive.replay_due().unlink(missing_ok=True)
        if done.foreign_keys:
            self.stderr.write(
                f"{done.foreign_keys:,} signing keys of another SECRET_KEY were not restored: what they signed cannot"
                " be verified. Name it in SECRET_KEY_FALLBACKS and run this again."
            )
        self.stdout.write(
            f"{done.lines:,} lines of the erasure ledger: {done.withdrawals:,} withdrawals repeated, "
            f"{done.erasures:,} people erased or redacted again, {done.deletions:,} rows deleted again, "
            f"{done.unknown:,} about people who are not in this database, {done.keys:,} signing keys restored."
        )
