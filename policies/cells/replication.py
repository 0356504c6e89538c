"""Replication from the primary cell: pull, verify, apply in one transaction, or change nothing."""

import logging
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import trail
from audit.jws import NotGenuine
from policies.bundles import publishing
from policies.cells import client
from policies.cells.client import CellUnavailable
from policies.cells.registers import NotApplicable, apply_registers
from policies.cells.release import Release, read_release, rules_digest
from policies.cells.table import Table
from policies.models import AppliedRelease, Policy, PolicyActivation

logger = logging.getLogger(__name__)
PATH = "/api/v1/cells/release"
_MAX_BYTES = 16 * 1024 * 1024
_WITHIN_S = 30.0
_MAX_CLOCK_AHEAD = timedelta(minutes=5)


class NotFollowed(Exception):
    """Failure to apply the primary's release; what was in force still is. The text says why."""


def follow() -> AppliedRelease | None:
    """Bring this cell up to the primary; None where there is nothing to follow. Raises NotFollowed."""
    table: Table | None = settings.CELLS
    if table is None or table.is_primary:
        return None
    try:
        release = read_release(_pull(table), table.keys, table.primary.name)
        return _take_over(release, actor=f"cell:{table.primary.name}")
    except (CellUnavailable, NotGenuine, NotApplicable) as exc:
        raise NotFollowed(str(exc)) from exc


def _pull(table: Table) -> str:
    reply = client.call(table.primary, "GET", PATH, seconds=_WITHIN_S, max_bytes=_MAX_BYTES)
    try:
        document = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        document = None
    token = document.get("release") if reply.status == 200 and isinstance(document, dict) else None
    if not isinstance(token, str):
        raise CellUnavailable(f"Cell '{table.primary.name}' answered {reply.status} instead of a release.")
    return token


@transaction.atomic
def _take_over(release: Release, *, actor: str) -> AppliedRelease:
    publishing.wait_for_publishers()
    now = timezone.now()
    applied = AppliedRelease.objects.first()
    _check_age(release, applied, now)
    if applied is None or applied.digest != release.digest or not _is_in_force(release):
        _apply(release, actor)
        applied_at = now
    else:
        applied_at = applied.applied_at
    values = {"digest": release.digest, "issued_at": release.issued_at, "applied_at": applied_at, "confirmed_at": now}
    return AppliedRelease.objects.update_or_create(id=1, defaults=values)[0]


def _check_age(release: Release, applied: AppliedRelease | None, now: datetime) -> None:
    """Refuse an old release: a genuine one that is replayed would hold this cell back."""
    if applied is not None and release.issued_at <= applied.issued_at:
        raise NotGenuine("The release is not newer than the one in force.")
    if release.issued_at > now + _MAX_CLOCK_AHEAD:
        raise NotGenuine("The release comes from the future; compare the cells' clocks.")
    if release.issued_at < now - timedelta(seconds=settings.READY_RULES_AGE_S):
        raise NotGenuine("The release was issued too long ago.")


def _is_in_force(release: Release) -> bool:
    """Return whether the release's rules are still in force: an officer or an upgrade may have changed them."""
    last = publishing.last_activation()
    if last is None:
        return False
    return bool(rules_digest(last.policy, certification=publishing.has_certification()) == release.content["rules"])


def _apply(release: Release, actor: str) -> None:
    content = release.content
    apply_registers(content["registers"])
    policy = _policy(content["policy"])
    certification = content["certification"] is True
    _refuse_other_rules(policy, content["rules"], certification=certification)
    reason, kind = f"release of {release.issued_at:%Y-%m-%d %H:%M:%S}", PolicyActivation.Kind(content["kind"])
    last = publishing.last_activation()
    if last is not None and (last.policy_id, last.kind) == (policy.digest, kind):
        publishing.publish(reason, actor, certification=certification)
    else:
        publishing.bring_into_force(policy, kind=kind, reason=reason, actor=actor, certification=certification)
    trail.record("release.applied", release.digest, actor=actor, details={"issued_at": release.issued_at.isoformat()})


def _policy(document: dict[str, Any]) -> Policy:
    digest = publishing.policy_digest(document["modules"], document["overlay"])
    return Policy.objects.get_or_create(digest=digest, defaults=document)[0]


def _refuse_other_rules(policy: Policy, expected: str, *, certification: bool) -> None:
    """Compare the bundles: the same registers and policy make the same one, or decisions would differ."""
    if rules_digest(policy, certification=certification) != expected:
        raise NotApplicable("The rules would come out differently here; all cells need the same program.")


def age_s() -> float | None:
    """Return seconds since the primary last confirmed the rules; None without a primary, infinite before the first."""
    table: Table | None = settings.CELLS
    if table is None or table.is_primary:
        return None
    applied = AppliedRelease.objects.first()
    return float("inf") if applied is None else (timezone.now() - applied.confirmed_at).total_seconds()
