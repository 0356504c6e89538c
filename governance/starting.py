"""What a process checks before it serves people."""

import logging

from django.db import DatabaseError, connection

from consent import key_check
from governance.backup import archive

logger = logging.getLogger(__name__)


def require_subject_key() -> None:
    """End the process if ``SUBJECT_KEY`` is not the database's.

    Where the database does not answer yet, readiness goes on asking (``governance.monitoring.health``).
    """
    try:
        key_check.require()
    except key_check.WrongSubjectKey as exc:
        raise SystemExit(str(exc)) from None
    except DatabaseError:
        logger.warning("The database does not answer, so SUBJECT_KEY is not checked yet")
    finally:
        connection.close()


def require_replayed() -> None:
    """End the process over a restored database whose erasure ledger was not replayed."""
    if archive.replay_due().exists():
        raise SystemExit("This database was restored: run ./assent replay-erasures first.")
