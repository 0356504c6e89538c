"""Best-effort Celery task: a sweep queues it again, so that no request waits for an absent broker."""

import logging
import time
from typing import Any

from celery.contrib.django.task import DjangoTask
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
PAUSE_S = 15.0


class BestEffortTask(DjangoTask):  # type: ignore[misc]  # celery has no types
    """Task queued if the broker takes it; otherwise left to the sweep.

    Finding out that a broker is away takes the connection's timeout, so it is found out once in PAUSE_S per process.
    """

    abstract = True
    _away_until = 0.0

    def apply_async(self, *args: Any, **options: Any) -> Any:
        """Queue the job and return it, or None where the broker is away."""
        if time.monotonic() < BestEffortTask._away_until:
            return None
        try:
            return super().apply_async(*args, **options)
        except OperationalError:
            BestEffortTask._away_until = time.monotonic() + PAUSE_S
            logger.warning("The broker is away; %s is left to the sweep", self.name)
            return None
