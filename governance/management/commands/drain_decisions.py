"""Copy spooled decisions into the decision log until stopped."""

import logging
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection

from oversight.rollouts import watch
from policies.decision_log import drainer

logger = logging.getLogger(__name__)
_LOOK_EVERY_S = 15.0


class Command(BaseCommand):
    help = "Copy spooled decisions into the decision log."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Copy what is there and end.")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        folder = Path(settings.SPOOL_DIR)
        if once:
            self.stdout.write(f"{drainer.drain(folder)} decisions copied.")
            return
        self._stopping, self._looked_at = False, time.monotonic()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self._stopping:
            try:
                drainer.run(folder, stop=lambda: self._stopping, meanwhile=self._watch)
            except (DatabaseError, OSError):
                # The spools keep everything; a database that comes back finds them as they were.
                logger.exception("Draining failed; trying again")
                connection.close()
                time.sleep(2)

    def _watch(self) -> None:
        """Watch a rollout where no worker does; no failure of that may hold up the log."""
        if time.monotonic() - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = time.monotonic()
        try:
            watch.check_if_late()
        except Exception:
            logger.exception("The rollout could not be looked after")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
