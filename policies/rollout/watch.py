"""The job that looks after a rollout: counts, judges, and rolls back by itself."""

import logging

from django.utils import timezone

from policies.rollout import figures, service, steps
from policies.rollout.guards import Breach, judge, read_guards

logger = logging.getLogger(__name__)


def check() -> Breach | None:
    """Roll back a candidate that passed a limit; return which. Nothing happens when run twice, or without a rollout."""
    rollout = steps.open_rollout()
    if rollout is None:
        return None
    guards = read_guards(rollout.guards)
    counted = figures.figures_of(rollout, guards, now=timezone.now())
    breach = judge(guards, counted)
    if breach is None or not service.roll_back(rollout.pk, why=breach.sentence, figures=counted):
        return None
    logger.warning("Policy %s was rolled back: %s", rollout.policy, breach.sentence)
    return breach
