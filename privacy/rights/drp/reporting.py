"""Reports to agents: each change of a status is sent to the address the agent named, until it says 200.

The address is another's: https, public, one exchange with an end (``common.http.outgoing``). Reports that do not arrive
wait longer each time and end after some days; the agent can always ask. One process reports at a time, and begins no
further exchange once its time is over: an agent that answers slowly holds up no other work.
"""

import json
import logging
import time
from datetime import datetime, timedelta
from itertools import takewhile

from django.db import transaction
from django.utils import timezone

from common.canonical import digest_of
from common.http import outgoing
from common.http.outgoing import CannotReach
from common.postgres import advisory
from privacy.rights.drp import exercising
from privacy.rights.drp.models import AgentRequest

logger = logging.getLogger(__name__)
_MOST_TRIES = 12
_ONE_RUN = 0x64727072  # "drpr", an advisory lock of ours
_ROUND_S = 20.0
_FIRST_WAIT = timedelta(minutes=1)
_AGAIN = timedelta(minutes=1)
_WITH_ADDRESS = AgentRequest.objects.filter(agent__is_active=True).exclude(status_callback="")


def report(limit: int = 50, *, now: datetime | None = None) -> int:
    """Send the statuses that have changed to agents in force; return how many arrived."""
    moment = now or timezone.now()
    due = _WITH_ADDRESS.filter(next_try_at__lte=moment).order_by("next_try_at")
    with advisory.held(_ONE_RUN) as is_ours:
        pks = list(due.values_list("pk", flat=True)[:limit]) if is_ours else []
        ends = time.monotonic() + _ROUND_S
        return sum(_report(pk, moment) for pk in takewhile(lambda _pk: time.monotonic() < ends, pks))


def _report(pk: int, moment: datetime) -> bool:
    with transaction.atomic():
        waiting = _WITH_ADDRESS.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk)
        found = waiting.filter(next_try_at__lte=moment).select_related("request").first()
        if found is None:
            return False
        status = exercising.status_of(found)
        digest = digest_of(status)
        if found.reported is not None and bytes(found.reported) == digest:
            _wait(found, moment + _AGAIN, tries=0)
            return False
        # Before the exchange: a process that is killed in it leaves a report that is tried again, and no lock.
        _wait(found, moment + _FIRST_WAIT * 2**found.tries, tries=found.tries + 1)
    has_arrived = _send(found.status_callback, status)
    if has_arrived:
        AgentRequest.objects.filter(pk=pk).update(reported=digest, tries=0, next_try_at=moment + _AGAIN)
    return has_arrived


def _wait(found: AgentRequest, until: datetime, *, tries: int) -> None:
    found.next_try_at, found.tries = until, tries
    is_over = not found.request.is_open or exercising.has_ended(found)
    if tries >= _MOST_TRIES or (tries == 0 and is_over):
        found.status_callback = ""
    found.save(update_fields=["next_try_at", "tries", "status_callback"])


def _send(url: str, status: dict[str, object]) -> bool:
    try:
        answer, _body = outgoing.exchange(
            url, body=json.dumps(status).encode(), headers={"Content-Type": "application/json"}
        )
    except CannotReach as exc:
        logger.info("An agent's address does not take a status: %s", exc)
        return False
    return answer == 200
