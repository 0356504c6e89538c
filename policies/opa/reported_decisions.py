"""Intake of decisions OPA servers made themselves: each once, with nothing in it outside the vocabulary."""

import logging
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.utils import timezone

from common.http.problems import InvalidRequest
from common.http.rate_limit import RateLimit
from common.http.rest import BodyTooLarge
from common.levels import LEVELS
from policies.bundles import loading
from policies.bundles.reasons import CODES, UNKNOWN_REASONS
from policies.engines.base import QUERY
from policies.models import Bundle, Decision, ExternalDecision
from policies.opa import reported_facts, reported_log
from policies.opa.status import instance_name, known_form

logger = logging.getLogger(__name__)
MAX_ENTRIES = 10_000
# Nobody may delete what is stored before OPA_DECISIONS_KEEP_DAYS are over, so a credential has a bound on its growth.
REPORTED = RateLimit("decisions reported by opa", 100_000, per=timedelta(minutes=1))
# Servers keep decisions while Assent cannot be reached; further away, the clock is wrong, or the report is.
MAX_DISTANCE = timedelta(days=2)
_MAX_REASONS = 32
_OTHER = "other"
_CONSENT = QUERY.removeprefix("data.").replace(".", "/")
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError, TypeError, OverflowError)


class _Revision(msgspec.Struct):
    revision: str | None = None


class _Entry(msgspec.Struct):
    decision_id: UUID
    timestamp: Annotated[datetime, msgspec.Meta(tz=True)]
    labels: dict[str, Any]
    path: str = ""
    bundles: dict[str, _Revision] | None = None
    input: Any = None
    result: Any = None


_batch = msgspec.json.Decoder(list[msgspec.Raw])
_entry = msgspec.json.Decoder(_Entry)


def store_decisions(body: bytes, *, caller: str) -> tuple[int, int]:
    """Store what is new; return its number, and how many entries cannot be read.

    An unreadable entry does not hold up the others: OPA would send the whole batch again for ever. Raises
    InvalidRequest for a body that is no batch, TooManyRequests for one above the caller's limit.
    """
    try:
        raw = _batch.decode(body)
    except _UNREADABLE:
        raise InvalidRequest("The body is not a list of OPA's decisions.") from None
    if len(raw) > MAX_ENTRIES:
        raise BodyTooLarge(f"There are more than {MAX_ENTRIES} decisions in the body.")
    REPORTED.take(caller, amount=max(len(raw), 1))
    now = timezone.now()
    read = [entry for entry in map(_read, raw) if entry is not None and abs(entry.timestamp - now) <= MAX_DISTANCE]
    if len(read) < len(raw):
        logger.warning("%s entries in a decision log of %s could not be read", len(raw) - len(read), caller)
    return _store({entry.decision_id: entry for entry in reversed(read)}, caller), len(raw) - len(read)


def _read(raw: msgspec.Raw) -> _Entry | None:
    try:
        return _entry.decode(raw)
    except _UNREADABLE:
        return None


def _store(entries: dict[UUID, _Entry], caller: str) -> int:
    masks = _masks({_revision(entry) for entry in entries.values()})
    now = timezone.now()
    return reported_log.append([_row(entry, masks, caller, now) for entry in entries.values()], caller=caller)


def _revision(entry: _Entry) -> str:
    return next((known_form(part.revision) for part in (entry.bundles or {}).values()), "")


def _masks(revisions: set[str]) -> dict[str, reported_facts.Mask]:
    """Return the vocabulary of each revision that is one of ours."""
    ours = Bundle.objects.filter(pk__in=revisions).values_list("pk", flat=True)
    return {
        revision: reported_facts.mask(bundle) for revision in ours if (bundle := loading.usable(revision)) is not None
    }


def _row(entry: _Entry, masks: dict[str, reported_facts.Mask], caller: str, now: datetime) -> ExternalDecision:
    revision = _revision(entry)
    is_consent = entry.path.strip("/") == _CONSENT
    result = entry.result if isinstance(entry.result, dict) else {}
    codes = _codes(result)
    return ExternalDecision(
        id=entry.decision_id,
        decided_at=entry.timestamp,
        received_at=now,
        instance=instance_name(entry.labels) or _OTHER,
        caller=caller[:120],
        bundle_revision=revision if revision in masks else "",
        path=_CONSENT if is_consent else _OTHER,
        outcome=_outcome(result, codes),
        level=_level(result),
        reasons=codes,
        facts=masks[revision](entry.input) if is_consent and revision in masks else {},
    )


def _codes(result: dict[str, Any]) -> list[str]:
    reasons = result.get("reasons")
    found = [r.get("code") for r in reasons if isinstance(r, dict)] if isinstance(reasons, list) else []
    return [code if isinstance(code, str) and code in CODES else _OTHER for code in found[:_MAX_REASONS]]


def _outcome(result: dict[str, Any], codes: list[str]) -> str:
    decision = result.get("decision")
    if decision is True:
        return Decision.Outcome.PERMIT
    return Decision.Outcome.DENY if decision is False and not UNKNOWN_REASONS & {*codes} else Decision.Outcome.UNKNOWN


def _level(result: dict[str, Any]) -> str:
    level = result.get("level")
    return level if isinstance(level, str) and level in LEVELS else ""
