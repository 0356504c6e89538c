"""Rollouts of the recommender in tests: who acts, and people of either side."""

from collections.abc import Iterator
from itertools import count

from django.contrib.auth.models import User

from common import actors
from consent.pseudonyms import subject_ref
from personalization.rollouts import service
from personalization.rollouts.guards import ModelGuards
from personalization.rollouts.models import ModelRollout
from policies.bundles.loading import Canary
from tests.helpers.officers import make_accounts

# Clara begins rollouts of models; Dora lets them serve people. Both have accounts.
CLARA, DORA = actors.Officer.of("clara", 2001), actors.Officer.of("dora", 2002)
LOW = ModelGuards(at_least=20, at_least_people=10)


def start(version: object, *, share: int = 0, guards: ModelGuards = LOW) -> ModelRollout:
    """A rollout that Clara began, widened by Dora."""
    if not User.objects.filter(pk=CLARA.account).exists():
        make_accounts(CLARA, DORA)
    rollout = service.start(version.pk, actor=CLARA, reason="better lists", guards=guards)  # type: ignore[attr-defined]
    return service.set_share(rollout.pk, share, actor=DORA) if share else rollout


def people(rollout: ModelRollout, *, inside: bool, share: int | None = None) -> Iterator[str]:
    """Names of people whom the canary serves, or does not, at its share or another."""
    canary = Canary(share=rollout.share if share is None else share, rollout=rollout.pk)
    for number in count(1):
        if canary.serves((subject_ref(f"customer-{number}"),)) is inside:
            yield f"customer-{number}"
