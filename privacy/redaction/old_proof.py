"""End of the proof of consent: people whose last permission ended long ago are redacted, some at a time.

The erasure ledger notes each before the commit, so a restored backup is redacted again by its replay.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from audit import trail
from common import actors
from common.postgres import advisory
from consent.ledger import holds, redaction
from consent.models import DataSubject, SubjectLink
from privacy.erasures import ledger
from privacy.models import Disposal
from privacy.retention.own_records import record_periods
from privacy.rights.models import AgentRequest, Requester, RightsRequest

logger = logging.getLogger(__name__)
KIND = "redaction"
AT_ONCE = 200
_LOCK = 0x72656461  # "reda"
# In force at the moment, or ended since then.
_PERMITTED = """
EXISTS (SELECT FROM jsonb_each(consent_datasubject.consents) AS c(place, entry) WHERE entry->>'s' = 'given'
  AND coalesce((entry->>'x')::bigint > %s, true))
"""
_BLANK_FOR = timedelta(days=1)


def run(*, now: datetime | None = None) -> int:
    """Redact everyone whose proof is over, and delete rows left blank before; return how many people. Idempotent."""
    now = now or timezone.now()
    with advisory.held(_LOCK) as is_ours:
        if not is_ours:
            return 0
        _forget_blank(now)
        before = now - record_periods.period("consent_proof")
        done = 0
        while some := _redact_some(before):
            done += some
            logger.info("Redacted %s people so far", done)
        return done


def over(before: datetime) -> QuerySet[DataSubject]:
    """Return people whose last choice, and whose last permission, ended before a moment, and whom nothing keeps."""
    open_requests = RightsRequest.objects.filter(subject_ref=OuterRef("ref"), closed_at=None)
    open_runs = Disposal.objects.filter(subject_ref=OuterRef("ref")).exclude(status=Disposal.Status.DONE)
    has_proof = Q(last_digest__isnull=False) & ~Q(consents={})
    people = DataSubject.objects.filter(has_proof | Q(erased_revision__isnull=False), updated_at__lt=before)
    people = people.filter(held=False, restricted=False, limits={})
    people = people.filter(~Exists(open_requests), ~Exists(open_runs))
    permitted = RawSQL(_PERMITTED, [int(before.timestamp())])  # noqa: S611 (a constant; the moment is a parameter)
    return people.alias(permitted=permitted).filter(permitted=False)


def due(period: timedelta) -> Iterator[tuple[str, int | str]]:
    """Return how many people's proof is older than a period."""
    yield "People whose consent records are redacted the next night, for good", over(timezone.now() - period).count()


@transaction.atomic
def _redact_some(before: datetime) -> int:
    holds.wait_for_holds()
    people = list(over(before).select_for_update(of=("self",), skip_locked=True).order_by("updated_at")[:AT_ONCE])
    who = ledger.marker() if people else None
    if who is None:
        return 0
    # Before the commit: what was promised here is repeated by a replay, also where the commit was lost.
    ledger.append([{"kind": KIND, "who": who(person.pk)} for person in people])
    for person in people:
        _redact(person, ground="retention", actor=actors.job("retention"))
    return len(people)


def _redact(person: DataSubject, *, ground: str, actor: str) -> None:
    ref = person.pk
    done = redaction.redact(person, ground=ground, actor=actor)
    # An erasure has taken the person out of rows of runs already, and left the record that each followed.
    for run in Disposal.objects.filter(Q(subject_ref=ref) | Q(record_id__in=done.records)):
        record = done.records.get(run.record_id) if run.record_id else None
        Disposal.objects.filter(pk=run.pk).update(subject_ref=done.tombstone, record_id=record or run.record_id)
    RightsRequest.objects.filter(subject_ref=ref).update(subject_ref=done.tombstone)
    # What recognises the address of who asked, and an agent's own name for the request, would lead to the person.
    Requester.objects.filter(request__subject_ref=done.tombstone).update(address_tag=None)
    AgentRequest.objects.filter(request__subject_ref=done.tombstone).update(agent_request_id="")
    SubjectLink.objects.filter(subject_ref=ref).delete()


def _forget_blank(now: datetime) -> int:
    """Delete the rows of people redacted a day ago or longer to whom nothing came since."""
    blank = DataSubject.objects.filter(revision__gt=0, consents={}, last_digest=None, erased_revision=None)
    blank = blank.filter(updated_at__lt=now - _BLANK_FOR)
    return redaction.forget_blank(blank.values_list("pk", flat=True))


@transaction.atomic
def replay(ref: UUID, _line: dict[str, Any]) -> bool:
    """Redact a person of a restored database again; return whether it had to."""
    person = DataSubject.objects.select_for_update().filter(pk=ref).first()
    if person is None or (person.last_digest is None and person.erased_revision is None):
        return False
    _redact(person, ground="replay", actor=actors.job("replay"))
    trail.record("erasures.redacted_again", "erasure_ledger", actor=actors.job("replay"))
    return True
