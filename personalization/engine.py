"""Bundled recommender as the proxy uses it: bounded in time, behind a circuit breaker, checked by digest and
signature.

Models are loaded once per process from their versioned files and only under the digest that stands in the bundle, where
the signature of the version is about that digest.
"""

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from audit.jws import NotGenuine
from common import tracing
from common.http.problems import Problem
from common.waiting.breaker import CircuitBreaker
from model_registry.files import signature
from personalization.recommender import storage
from personalization.recommender.model import Model, Served
from policies.bundles.loading import LoadedBundle

logger = logging.getLogger(__name__)
MODEL_SLUG = "house-recommender"
TIMEOUT_S = 0.25
_IN_USE = ("live", "suspended")


class EngineFailed(Exception):
    """Failure of the engine to recommend; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_breaker = CircuitBreaker()
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="recommender")
_load_lock = threading.Lock()


def model_in_use(bundle: LoadedBundle) -> str | None:
    """Return the live version, or the newest suspended one, so that the decision says why it is not used."""
    versions = [
        (model["status"] == "live", model["version"], name)
        for name, model in bundle.data["models"].items()
        if model["id"] == MODEL_SLUG and model["status"] in _IN_USE
    ]
    return max(versions)[2] if versions else None


def segment_key(region: str, age_band: str) -> str:
    return f"region={region}|age={age_band}"


def load(name: str, bundle: LoadedBundle) -> Model:
    """Return the model's artifact. Raises EngineFailed if it is missing, changed, not the approved one or unsigned."""
    stored = bundle.data["models"][name]
    try:
        require_signed(stored)
        with _load_lock:
            return _load(stored["artifact"], stored["artifact_sha256"])
    except (Problem, OSError, NotGenuine) as exc:
        logger.exception("The artifact of %s cannot be used", name)
        raise EngineFailed("model_unusable") from exc


def require_signed(stored: Mapping[str, Any]) -> None:
    """Raise NotGenuine where the signature of a version is missing, not ours, or of something else."""
    _require_signed(stored.get("signature", ""), stored["id"], stored["version"], stored["artifact_sha256"])


@lru_cache(maxsize=8)
def _require_signed(token: str, model: str, version: int, digest: str) -> None:
    signature.require(token, model=model, version=version, artifact_sha256=digest)


@lru_cache(maxsize=2)
def _load(artifact: str, digest: str) -> Model:
    folder = Path(settings.MODEL_DIR)
    return storage.load(folder / artifact, folder=folder, digest=digest)


@tracing.traced("recommender")
def recommend(name: str, bundle: LoadedBundle, **arguments: Any) -> Served:
    """Ask the model within TIMEOUT_S. Raises EngineFailed; failures in a row open the breaker."""
    if not _breaker.allows():
        raise EngineFailed("recommender_resting")
    _check_signature(name, bundle)
    if _is_stopped(name, bundle, arguments.get("segment")):
        arguments["segment"] = None
    future = _pool.submit(lambda: load(name, bundle).recommend(**arguments))
    try:
        served = future.result(timeout=TIMEOUT_S)
    except FutureTimeoutError as exc:
        _breaker.failed()
        raise EngineFailed("recommender_timeout") from exc
    except EngineFailed:
        # The artifact, not the engine: loading has logged what is wrong with it, and resting would hide the reason.
        raise
    except Exception as exc:
        _breaker.failed()
        logger.exception("The recommender failed")
        raise EngineFailed("recommender_failed") from exc
    _breaker.succeeded()
    return served


def is_resting() -> bool:
    """Return whether the engine is not asked for a while, after failures."""
    return _breaker.is_open


def _check_signature(name: str, bundle: LoadedBundle) -> None:
    """Check the signature here once: what it needs of the database is not read in the threads of the engine."""
    try:
        require_signed(bundle.data["models"][name])
    except NotGenuine as exc:
        logger.exception("The signature of %s cannot be trusted", name)
        raise EngineFailed("model_unusable") from exc


def segment_size(name: str | None, bundle: LoadedBundle, key: str) -> int | None:
    """Return how many people are in a segment of the model in use; None where that cannot be known."""
    if name is None:
        return None
    if _is_stopped(name, bundle, key):
        return 0
    try:
        segment = load(name, bundle).segments.get(key)
    except EngineFailed:
        return None
    return segment.people if segment else 0


def _is_stopped(name: str, bundle: LoadedBundle, key: str | None) -> bool:
    """Return whether a segment of a version is off (``model_registry.segments``)."""
    return key in bundle.data["models"][name].get("stopped_segments", ())
