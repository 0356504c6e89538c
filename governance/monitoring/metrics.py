"""Metrics at ``GET /metrics`` for Prometheus: the platform's state, read afresh from the database for every scrape.

So several web processes give one answer, and a process that dies takes no count with it. Labels come from closed
vocabularies and the register of purposes; no number of fewer people than the smallest group is given.
"""

import logging
import platform
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Min
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from rest_framework.request import Request
from rest_framework.views import APIView

from audit.models import AuditAnchor, AuditEvent
from common.http.rest import AnyAnswer
from common.rollouts.shares import FULL
from consent.trust import metrics as trust
from governance.monitoring import budgets, jobs, recommender, requests
from personalization.rollouts import kind as model_rollouts
from policies.bundles import candidates
from policies.decision_log import figures as log_figures
from policies.decision_log import spool_lag
from policies.models import ActiveBundle
from policies.rollout import figures
from privacy.models import Disposal

logger = logging.getLogger(__name__)
WINDOW = timedelta(minutes=5)
# A scrape waits no longer than this for one part; Prometheus itself gives up after 10 s unless configured.
_PATIENCE = "4s"

Part = Callable[[datetime], Iterator[Metric]]


class MetricsView(APIView):
    """Metrics in the text exposition format, for credentials with the scope ``metrics``."""

    required_scope = "metrics"
    content_negotiation_class = AnyAnswer

    @extend_schema(
        operation_id="metrics",
        responses={
            (200, "text/plain"): OpenApiTypes.STR,
            **{status: OpenApiResponse(description="problem+json") for status in (401, 403, 503)},
        },
    )
    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Platform())
        response = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
        response.headers["Cache-Control"] = "no-store"
        return response


class Platform(Collector):
    """Collector of every part: what cannot be read is left out and named, the rest is still reported."""

    def describe(self) -> list[Metric]:
        return []  # registering must not read the database

    def collect(self) -> Iterator[Metric]:
        now, started = timezone.now(), time.perf_counter()
        failed = GaugeMetricFamily("assent_scrape_failed", "1 for a part that could not be read.", labels=["part"])
        for name, part in (_PARTS | _OUTSIDE).items():
            metrics, error = _outside(part, now) if name in _OUTSIDE else _read(part, now)
            failed.add_metric([name], error)
            yield from metrics
        yield failed
        yield _gauge("assent_scrape_seconds", "How long this scrape took.", time.perf_counter() - started)


def _read(part: Part, now: datetime) -> tuple[list[Metric], int]:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_PATIENCE])
            return list(part(now)), 0
    except (DatabaseError, OSError):
        logger.exception("A part of the metrics could not be read")
        return [], 1


def _outside(part: Part, now: datetime) -> tuple[list[Metric], int]:
    try:
        return list(part(now)), 0
    except OSError:
        logger.exception("A part of the metrics could not be read")
        return [], 1


def _decisions(now: datetime) -> Iterator[Metric]:
    lately = log_figures.lately(since=now - WINDOW)
    counts = GaugeMetricFamily(
        "assent_recent_decisions",
        "Decisions of the last 5 minutes by outcome and most decisive reason, as far as they reached the log.",
        labels=["outcome", "reason"],
    )
    for (outcome, reason), count in sorted(lately.counts.items()):
        counts.add_metric([outcome, reason], count)
    yield counts
    took = GaugeMetricFamily(
        "assent_recent_decision_seconds", "How long decisions of the last 5 minutes took.", labels=["quantile"]
    )
    for quantile, seconds in lately.seconds.items():
        took.add_metric([str(quantile)], seconds)
    yield took


def _spool(now: datetime) -> Iterator[Metric]:
    lag = spool_lag.lag(settings.SPOOL_DIR)
    yield _gauge("assent_spool_waiting_bytes", "Decisions not yet copied into the log.", lag.waiting_bytes)
    yield _gauge(
        "assent_spool_lag_seconds", "Age of the oldest decision not yet in the log, 0 for none.", _age(now, lag.oldest)
    )


def _consents(now: datetime) -> Iterator[Metric]:
    people = GaugeMetricFamily(
        "assent_consents",
        "People by purpose and the state of their choice; none is given for fewer than the smallest group.",
        labels=["purpose", "state"],
    )
    for (purpose, state), count in trust.people_by_state(now=now).items():
        people.add_metric([purpose, state], count)
    yield people


def _disposals(now: datetime) -> Iterator[Metric]:
    found = {
        row["status"]: row
        for row in Disposal.objects.exclude(status=Disposal.Status.DONE)
        .order_by()
        .values("status")
        .annotate(count=Count("id"), oldest=Min("queued_at"))
    }
    waiting = GaugeMetricFamily("assent_disposals_open", "Deletions not finished, by status.", labels=["status"])
    for status in (Disposal.Status.QUEUED, Disposal.Status.RUNNING):
        waiting.add_metric([status], found[status]["count"] if status in found else 0)
    yield waiting
    oldest = min((row["oldest"].timestamp() for row in found.values()), default=None)
    yield _gauge(
        "assent_disposal_oldest_seconds", "Age of the oldest deletion not finished, 0 for none.", _age(now, oldest)
    )


def _bundle(now: datetime) -> Iterator[Metric]:
    active = ActiveBundle.objects.values_list("activated_at", flat=True).first()
    yield _gauge("assent_bundle_active", "1 if a policy bundle is in force.", int(active is not None))
    if active:
        yield _gauge(
            "assent_bundle_age_seconds", "How long the bundle has been in force.", _age(now, active.timestamp())
        )


def _rollout(now: datetime) -> Iterator[Metric]:
    running = candidates.open_rollout()
    yield _gauge(
        "assent_rollout_share",
        "Share of the people a candidate answers, 0 to 1.",
        running.share / FULL if running else 0,
    )
    yield _gauge("assent_rollout_open", "1 while a policy is being rolled out.", int(running is not None))
    yield _canaries()
    if running is None:
        return
    lately = figures.lately(running, since=now - WINDOW, until=now)
    sides = GaugeMetricFamily(
        "assent_rollout_recent_decisions",
        "Decisions of the last 5 minutes by whose they are, as far as they reached the log.",
        labels=["side", "outcome"],
    )
    for (side, outcome), count in sorted(lately.items()):
        sides.add_metric([side, outcome], count)
    yield sides
    kinds = GaugeMetricFamily(
        "assent_rollout_recent_differences",
        "Decisions of the last 5 minutes a candidate evaluated beside would have answered differently, by how.",
        labels=["kind"],
    )
    for kind, count in sorted(figures.differences_by_kind(since=now - WINDOW, until=now).items()):
        kinds.add_metric([kind], count)
    yield kinds


def _canaries() -> Metric:
    shares = GaugeMetricFamily(
        "assent_model_rollout_share",
        "Share of the people a version of a model serves next to the live one, 0 to 1; none without a rollout.",
        labels=["model", "version"],
    )
    for rollout in model_rollouts.running():
        shares.add_metric([rollout.version.model.slug, str(rollout.version.version)], rollout.share / FULL)
    return shares


def _trail(now: datetime) -> Iterator[Metric]:
    anchor = AuditAnchor.objects.order_by("-sequence").values_list("created_at", "last_position").first()
    if anchor:
        yield _gauge("assent_audit_anchor_age_seconds", "Age of the newest anchor.", _age(now, anchor[0].timestamp()))
    unsealed = AuditEvent.objects.filter(position__gt=anchor[1] if anchor else 0)
    oldest = unsealed.order_by("position").values_list("occurred_at", flat=True).first()
    yield _gauge(
        "assent_audit_unsealed_seconds",
        "Age of the oldest event that no anchor seals, 0 for none.",
        _age(now, oldest.timestamp() if oldest else None),
    )


def _web(now: datetime) -> Iterator[Metric]:
    yield from requests.metrics()
    yield from recommender.served()
    build = GaugeMetricFamily("assent_build", "1, labelled with what runs.", labels=["version", "python"])
    build.add_metric([_version(), platform.python_version()], 1)
    yield build


@lru_cache(maxsize=1)
def _version() -> str:
    document = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    return str(document["project"]["version"])


_PARTS: dict[str, Part] = {
    "decisions": _decisions,
    "spool": _spool,
    "consents": _consents,
    "disposals": _disposals,
    "budgets": budgets.metrics,
    "bundle": _bundle,
    "rollout": _rollout,
    "models": recommender.versions,
    "trail": _trail,
}


# They read no table, and answer while the database does not.
_OUTSIDE: dict[str, Part] = {"web": _web, "jobs": lambda now: jobs.metrics(now.timestamp())}


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)


def _age(now: datetime, epoch: float | None) -> float:
    return max(now.timestamp() - epoch, 0.0) if epoch is not None else 0.0
