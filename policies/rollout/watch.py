"""Watch job of a rollout: counts, judges, and rolls back by itself.

Beat asks for it every 30 s. Where the worker is away or busy with something long, the drainer does it instead: without
the drainer there would be nothing new to count anyway.
"""

import logging
from datetime import timedelta

from django.utils import timezone

from policies.bundles import candidates
from policies.models import Rollout
from policies.rollout import figures, service
from policies.rollout.guards import Breach, judge, read_guards

logger = logging.getLogger(__name__)
LATE = timedelta(seconds=75)  # two looks were missed


def check() -> Breach | None:
    """Roll back a candidate that passed a limit; return which. Idempotent, and without a rollout nothing happens."""
    rollout = candidates.open_rollout()
    if rollout is None:
        return None
    guards, now = read_guards(rollout.guards), timezone.now()
    counted = figures.figures_of(rollout, guards, now=now)
    breach = judge(guards, counted)
    if breach is None:
        Rollout.objects.filter(pk=rollout.pk).update(watched_at=now)
        return None
    if not service.roll_back(rollout.pk, why=breach.sentence, figures=counted):
        return None
    logger.warning("Policy %s was rolled back: %s", rollout.policy, breach.sentence)
    return breach


def is_late(rollout: Rollout) -> bool:
    """Return whether a running rollout has not been watched for too long."""
    return rollout.is_open and rollout.watched_at < timezone.now() - LATE


def check_if_late() -> Breach | None:
    rollout = candidates.open_rollout()
    return check() if rollout is not None and is_late(rollout) else None
