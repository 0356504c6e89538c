"""Daily run: measure versions in use, keep results, give owners work, suspend where an objective says so."""

import logging
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from audit import trail
from common import actors
from common.suppression import smallest_group
from model_registry import services
from model_registry.gates import recording
from model_registry.gates import running as gates
from model_registry.models import Evidence, ModelVersion
from personalization import engine, training, windows
from personalization.monitors import judging, measuring, objectives, work
from personalization.monitors.judging import Judged, Objective
from personalization.monitors.kinds import MONITORS
from personalization.monitors.measuring import Subject
from personalization.monitors.models import ItemExposure, MonitorResult, ServedCount
from policies.bundles import loading
from policies.models import ActiveBundle

logger = logging.getLogger(__name__)
JOB = actors.job("monitors")
KEEP_RESULTS = timedelta(days=400)
KEEP_COUNTS = timedelta(days=60)
_VERDICTS = (judging.WITHIN, judging.BEYOND, judging.WATCHED)


def run(now: datetime | None = None) -> list[MonitorResult]:
    """Measure the live version of the recommender and its canary; return what was found. Again replaces the day's."""
    moment = now or timezone.now()
    found = [row for version in _serving() for row in _run_one(version, moment)]
    work.close_monitored(actor=JOB)
    _forget(moment)
    return found


def _serving() -> list[ModelVersion]:
    versions = ModelVersion.objects.filter(model__slug=engine.MODEL_SLUG, status__in=ModelVersion.SERVING)
    return list(versions.select_related("model"))


def _run_one(version: ModelVersion, now: datetime) -> list[MonitorResult]:
    active = ActiveBundle.objects.first()
    bundle = loading.loaded(active.bundle_id) if active else None
    if bundle is None or str(version) not in bundle.data["models"]:
        return []
    try:
        model = engine.load(str(version), bundle)
    except engine.EngineFailed as failed:
        # The serving path says so with each answer, and counts it.
        logger.warning("%s is not monitored: %s", version, failed.code)
        return []
    small = windows.below_k(model.segments, windows.people_by_segment(version), smallest_group())
    measured = measuring.measure(Subject(version, model, small, training.PURPOSE, now))
    limits = objectives.in_force(version.model)
    return _conclude(version, judging.judge(measured, limits), limits, now)


@transaction.atomic
def _conclude(
    version: ModelVersion, judged: Sequence[Judged], limits: dict[str, Objective], now: datetime
) -> list[MonitorResult]:
    """Keep what was found, and do what follows from it."""
    rows = _keep(version, judged, now)
    beyond = sorted({row.monitor for row in rows if row.state == judging.BEYOND})
    _leave_evidence(version, rows, beyond)
    if beyond:
        trail.record("model.beyond_objectives", str(version), actor=JOB, details={"monitors": beyond})
    work.follow_monitored(version, beyond, actor=JOB)
    late = [name for name in beyond if _has_lasted(version, name, limits[name], now.date())]
    if late:
        titles = ", ".join(MONITORS[name].title.lower() for name in late)
        services.suspend_protectively(version, reason=f"Beyond its objectives: {titles}.", actor=JOB)
    return rows


def _leave_evidence(version: ModelVersion, rows: Sequence[MonitorResult], beyond: Sequence[str]) -> None:
    """Append what the release gates of a version in use read."""
    judged = {row.monitor for row in rows if row.state in _VERDICTS}
    still = {*beyond, *_beyond_before(version) - judged}
    figures = {
        "beyond": sorted(_groups(still)),
        "monitors": sorted(still),
        "unmeasured": sorted(_groups(MONITORS) - _groups(judged)),
    }
    recording.record_evidence(
        version, Evidence.Kind.MONITOR, gates.MONITORS, is_passed=True, actor=JOB, figures=figures
    )


def _groups(monitors: Iterable[str]) -> set[str]:
    return {MONITORS[name].gate for name in monitors if name in MONITORS} - {""}


def _beyond_before(version: ModelVersion) -> set[str]:
    """Return what was beyond its objective when it was last measured.

    It stays so until it is measured within: a version that is denied for its drift serves no lists that could show
    another one.
    """
    last = version.evidence.filter(
        kind=Evidence.Kind.MONITOR, artifact_sha256=version.artifact_sha256, made_at__gte=version.status_changed_at
    ).first()
    return set(last.figures["monitors"]) if last else set()


def _keep(version: ModelVersion, judged: Sequence[Judged], now: datetime) -> list[MonitorResult]:
    day = now.date()
    MonitorResult.objects.filter(version=version, day=day).delete()
    return MonitorResult.objects.bulk_create(
        MonitorResult(
            version=version,
            day=day,
            monitor=each.measured.monitor,
            part=each.measured.part,
            state=each.state,
            value=each.measured.value,
            samples=each.measured.samples,
            p=each.measured.p,
            limit=each.limit,
            figures=dict(each.measured.figures),
            measured_at=now,
        )
        for each in judged
    )


def _has_lasted(version: ModelVersion, monitor: str, objective: Objective, day: date) -> bool:
    """Return whether a monitor was beyond its objective on as many measured days in a row as suspend the version."""
    if objective.suspends_after is None:
        return False
    rows = MonitorResult.objects.filter(version=version, monitor=monitor, day__lte=day).order_by()
    days = list(rows.values_list("day", flat=True).distinct().order_by("-day")[: objective.suspends_after])
    beyond = rows.filter(state=judging.BEYOND, day__in=days).values("day").distinct().count()
    return len(days) == beyond == objective.suspends_after


def _forget(now: datetime) -> None:
    """Delete counts and results that are older than they are kept."""
    ServedCount.objects.filter(day__lt=(now - KEEP_COUNTS).date()).delete()
    ItemExposure.objects.filter(day__lt=(now - KEEP_COUNTS).date()).delete()
    MonitorResult.objects.filter(day__lt=(now - KEEP_RESULTS).date()).delete()
