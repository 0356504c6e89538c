"""Register of processing systems, audited again and again: rules, instruments and registers change under them."""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit import trail
from common import actors
from policies import engines
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.models import ActiveBundle, ProcessingSystem
from policies.residency.judging import judge
from policies.residency.placements import KINDS, Kind, Placement, mapping_of, split_words, text_of

logger = logging.getLogger(__name__)


def audit_residency(*, now: datetime | None = None) -> int:
    """Judge every system by the bundle in force; return how many have findings. Idempotent."""
    now = now or timezone.now()
    bundle = _in_force()
    if bundle is None:
        logger.warning("Processing systems were not judged: no bundle is in force.")
        return 0
    keys = ProcessingSystem.objects.values_list("pk", flat=True)
    return sum(bool(judge_system(system_id=key, bundle=bundle, now=now)) for key in keys)


def judge_now(*, system_id: int) -> list[dict[str, Any]]:
    """Judge one system, as when an officer has changed it; without a bundle nothing is judged."""
    bundle = _in_force()
    return judge_system(system_id=system_id, bundle=bundle, now=timezone.now()) if bundle else []


@transaction.atomic
def judge_system(*, system_id: int, bundle: LoadedBundle, now: datetime) -> list[dict[str, Any]]:
    """Store the current findings; new and resolved findings since the last audit enter the audit trail."""
    system = ProcessingSystem.objects.select_for_update().filter(pk=system_id).first()
    if system is None:
        return []
    judged = judge(placements_of(system), bundle=bundle, engine=engines.configured(), now=now)
    found = [
        {"resource": j.placement.resource, "region": j.placement.region, "code": r.code, "detail": r.detail}
        for j in judged
        for r in j.reasons
    ]
    for action, findings in (
        ("residency.finding_opened", [f for f in found if f not in system.findings]),
        ("residency.finding_closed", [f for f in system.findings if f not in found]),
    ):
        for finding in findings:
            trail.record(
                action, f"system {system.pk}", actor=actors.job("residency"), details={**finding, "name": system.name}
            )
    system.findings, system.checked_at, system.bundle_revision = found, now, bundle.revision
    system.save(update_fields=["findings", "checked_at", "bundle_revision"])
    return found


def placements_of(system: ProcessingSystem) -> Iterator[Placement]:
    """Return a system's placements; one without places is a placement with no stated region."""
    for raw in map(mapping_of, system.placements or [{}]):
        kind = text_of(raw.get("kind"))
        yield Placement(
            file="",
            resource=text_of(raw.get("resource")) or system.name,
            kind=Kind(kind) if kind in KINDS else Kind.PROCESS,
            provider=text_of(raw.get("provider")),
            region=text_of(raw.get("region")),
            subject_groups=split_words(system.subject_groups),
            data_categories=split_words(system.data_categories),
            purposes=split_words(system.purposes),
        )


def _in_force() -> LoadedBundle | None:
    revision = ActiveBundle.objects.values_list("bundle_id", flat=True).first()
    return loading.loaded(revision) if revision else None
