"""Standing of each OPA server that reports: whether it decides by the rules in force, and what is wrong if not."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet, Subquery
from django.utils import timezone

from policies.models import ActiveBundle, OpaInstance

# A server that pulls gets an answer at once, or asks every few seconds; it reports after each time.
_TAKES = timedelta(seconds=30)
_SILENT_AFTER = timedelta(minutes=5)
# A server silent for so long was taken down; servers without a label leave a name behind at each start.
_GONE_AFTER = timedelta(days=1)


class State(StrEnum):
    CURRENT = "current"
    BEHIND = "behind"
    EMPTY = "empty"
    SILENT = "silent"
    GONE = "gone"


@dataclass(frozen=True)
class Standing:
    """A server's standing. ``lag`` is how long it has been behind the rules in force; None if not, or without rules."""

    instance: OpaInstance
    state: State
    lag: timedelta | None

    @property
    def needs_attention(self) -> bool:
        return self.state in (State.BEHIND, State.EMPTY, State.SILENT)


def with_active(instances: QuerySet[OpaInstance]) -> QuerySet[OpaInstance]:
    """Return the same rows, with what is in force and since when."""
    active = ActiveBundle.objects.all()
    revision, since = Subquery(active.values("bundle_id")[:1]), Subquery(active.values("activated_at")[:1])
    return instances.annotate(active_revision=revision, active_since=since)


def standing(instance: Any, *, now: datetime) -> Standing:
    """Return the standing of a row of ``with_active``."""
    lag = None
    if instance.active_revision is not None and instance.bundle_revision != instance.active_revision:
        lag = now - instance.active_since
    return Standing(instance, _state(instance, lag, now), lag)


def _state(instance: OpaInstance, lag: timedelta | None, now: datetime) -> State:
    silence = now - instance.heard_at
    if silence > _GONE_AFTER:
        return State.GONE
    if silence > _SILENT_AFTER:
        return State.SILENT
    if lag is None or lag < _TAKES:
        return State.CURRENT
    return State.BEHIND if instance.bundle_revision else State.EMPTY


def needing_attention() -> list[Standing]:
    """Return the servers to look at, the longest silent first."""
    now, instances = timezone.now(), with_active(OpaInstance.objects.order_by("heard_at"))
    found = [standing(instance, now=now) for instance in instances]
    return [each for each in found if each.needs_attention]


_WORDS = (
    (r"scope mismatch", "The bundle was signed for another use than to be the rules in force."),
    (
        r"invalid \w+ signature|failed to verify|key .* not found|no suitable key|verification key",
        "The bundle is not signed with the key this server was told. Give it the current one: signing_keys opa.",
    ),
    (r"missing \.signatures\.json", "The bundle it was given has no signature, and it takes none without."),
    (r"digest mismatch|not included in bundle signature", "The bundle was changed after it was signed."),
    (r"404|not found", "What it asks for is not there. After a change of keys it needs the new key: signing_keys opa."),
    (r"401|403|unauthorized|forbidden", "Its credential is not valid, or has not the scope “opa”."),
    (r"timeout|deadline", "Assent did not answer it in time."),
    (r"connection refused|no such host|dial tcp|eof", "It cannot reach Assent."),
    (r"5\d\d|service unavailable", "Assent could not answer it."),
    (r"rego_|compile", "It cannot read a rule of the bundle."),
)


def in_words(error: str) -> str:
    """Describe a server's report in words for officers."""
    found = (words for pattern, words in _WORDS if re.search(pattern, error, re.IGNORECASE))
    return next(found, "It reports an error Assent has no words for.")
