"""Liveness (this process answers) and readiness (its dependencies answer too, and are recent enough)."""

import logging
import time
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from audit import signing
from consent import key_check
from governance.backup import archive
from governance.evidence import heads
from governance.monitoring import decision_path
from policies import engines
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.cells import replication
from policies.decision_log import spool_lag
from policies.decision_log.spool import LOST
from policies.models import ActiveBundle
from policies.opa.freshness import Freshness

logger = logging.getLogger(__name__)
_STARTED = time.monotonic()


@csrf_exempt  # a POST is refused for its method
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "live"})


@csrf_exempt
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 once the database and all that decisions rest on is there and recent; else 503 with what is not.

    ``warnings`` names what is wrong and yet keeps no decision from being made.
    """
    missing, warnings = _state()
    document = {"status": "not ready" if missing else "ready", "missing": missing, "warnings": warnings}
    return JsonResponse(document, status=503 if missing else 200, headers={"Cache-Control": "no-store"})


def _state() -> tuple[list[str], list[str]]:
    try:
        active = ActiveBundle.objects.first()
        if active is None:
            return ["policy bundle"], []
        bundle = _loaded(active.bundle_id)
        if bundle is None:
            return ["policy bundle cannot be loaded"], []
        statement = decision_path.statement_fault()
        if statement is not None:
            return [statement], []
        broken = _broken(active.bundle_id)
        behind = ["OPA does not hold the bundle in force"] if _is_opa_behind(bundle, active) else []
        late = ["decision log is behind"] if _log_lag_s() > settings.READY_LOG_LAG_S else []
        late += _losses()
        if (replication.age_s() or 0) > settings.READY_RULES_AGE_S:
            late.append("the primary cell's rules are not known to be in force")
        signable = signing.is_available()
    except DatabaseError:
        connection.close()
        return ["database"], []
    warnings = [] if signable else ["no signing key: see ./assent manage signing_keys list"]
    if engines.stand_in():
        return [*broken, *late], [*behind, *warnings]
    return [*broken, *behind, *late], warnings


def _broken(revision: str) -> list[str]:
    """Return what keeps every decision from being made, or choices from being saved as they must."""
    wrong_key = [] if key_check.matches() else ["SUBJECT_KEY is not the key of this database"]
    return [*wrong_key, *decision_path.PROBE.faults(revision)]


def _losses() -> list[str]:
    """Return what was lost and has not been accepted by an operator."""
    found = []
    if (settings.SPOOL_DIR / LOST).exists():
        found.append("decisions were lost with a removed spool")
    if archive.replay_due().exists():
        found.append("a restored database waits for ./assent replay-erasures")
    if heads.lost_since_written():
        found.append("the database is older than the last head in the home")
    return found


def _loaded(revision: str) -> LoadedBundle | None:
    try:
        return loading.loaded(revision)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("Bundle %s is in force and cannot be loaded", revision)
        return None


def _is_opa_behind(bundle: LoadedBundle, active: ActiveBundle) -> bool:
    freshness = _freshness()
    if freshness is None:
        return False
    return freshness.seconds_behind(bundle, active.activated_at) > settings.READY_OPA_BEHIND_S


@lru_cache(maxsize=1)
def _freshness() -> Freshness | None:
    server = engines.opa_server()
    return None if server is None else Freshness(server)


def _log_lag_s() -> float:
    oldest = spool_lag.lag(settings.SPOOL_DIR).oldest
    if oldest is None:
        return 0.0
    # What waited through an outage is drained once this process is up; until then it is not late.
    return min(time.time() - oldest, time.monotonic() - _STARTED)
