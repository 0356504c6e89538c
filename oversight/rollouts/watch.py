"""Watch job of all rollouts: counts, judges, and rolls back by itself.

Beat asks for it every 30 s. Where the worker is away or busy with something long, the drainer does it instead: without
the drainer there would be nothing new to count of a policy anyway. Where the figures of a kind come from, and what its
guards say to them, is a source that its package registers.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from common.rollouts.limits import Breach
from oversight.models import RolloutBase
from oversight.rollouts import service
from oversight.rollouts.kinds import Kind

logger = logging.getLogger(__name__)
LATE = timedelta(seconds=75)  # two looks were missed


@dataclass(frozen=True)
class Look:
    """What was found at one look: the figures, as they are kept with a roll-back, and the limit that was passed."""

    breach: Breach | None
    figures: dict[str, Any]


Source = Callable[[Any, datetime], Look]

_sources: dict[str, tuple[Kind[Any], Source]] = {}


def add(kind: Kind[Any], source: Source) -> None:
    """Watch the running rollouts of a kind. Called in ``AppConfig.ready()``."""
    _sources[kind.slug] = (kind, source)


def check() -> list[Breach]:
    """Roll back every candidate that passed a limit; return which. Idempotent."""
    return [breach for kind, source, rollout in _running() if (breach := _check_one(kind, source, rollout))]


def check_if_late() -> list[Breach]:
    """Do the same for rollouts that were not looked at for too long."""
    late = [found for found in _running() if is_late(found[2])]
    return [breach for kind, source, rollout in late if (breach := _check_one(kind, source, rollout))]


def is_late(rollout: RolloutBase) -> bool:
    """Return whether a running rollout has not been watched for too long."""
    return rollout.is_open and rollout.watched_at < timezone.now() - LATE


def _running() -> Iterator[tuple[Kind[Any], Source, RolloutBase]]:
    for kind, source in _sources.values():
        for rollout in list(kind.running()):
            yield kind, source, rollout


def _check_one(kind: Kind[Any], source: Source, rollout: RolloutBase) -> Breach | None:
    now = timezone.now()
    try:
        look = source(rollout, now)
    except Exception:  # one that cannot be judged is shown as not watched, and keeps no other from being rolled back
        logger.exception("%s could not be judged", kind.subject(rollout).title)
        return None
    if look.breach is None:
        type(rollout)._default_manager.filter(pk=rollout.pk).update(watched_at=now)  # noqa: SLF001 (documented API)
        return None
    if not service.roll_back(kind, rollout.pk, why=look.breach.sentence, figures=look.figures):
        return None
    logger.warning("%s was rolled back: %s", kind.subject(rollout).title, look.breach.sentence)
    return look.breach
