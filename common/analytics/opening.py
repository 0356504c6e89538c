"""The engine of the settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from common.analytics import workshop
from common.analytics.engine import Engine
from common.analytics.workshop import Workshop


def in_settings() -> Workshop:
    """Return where engines work, and which one, by the settings."""
    return Workshop(
        Path(settings.ANALYTICS_DIR), settings.ANALYTICS, settings.ANALYTICS_MEMORY_MB, settings.SPARK_MASTER
    )


@contextmanager
def engine() -> Iterator[Engine]:
    """Open the engine of the settings; at the end it is closed and its folder is gone."""
    with in_settings().open() as opened:
        yield opened


def sweep() -> int:
    """Remove folders of processes that were killed; return how many."""
    return workshop.sweep(Path(settings.ANALYTICS_DIR))
