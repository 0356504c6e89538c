"""Bundled recommender as the proxy uses it: behind a circuit breaker, checked by digest and signature.

Models are loaded once per process from their versioned files and only under the digest that stands in the bundle, where
the signature of the version is about that digest.
"""

import logging
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from audit.jws import NotGenuine
from common import tracing
from common.http.problems import Problem
from common.waiting import no_wait
from common.waiting.breaker import CircuitBreaker
from model_registry.files import signature
from model_registry.gates.findings import PASSED
from personalization.recommender import storage
from personalization.recommender.answers import Served
from personalization.recommender.groups import forming as groups
from personalization.recommender.model import Model
from personalization.serving.reading import ReadingFailed
from policies.bundles.loading import LoadedBundle
from policies.decisions.facts import gates_have_ended

logger = logging.getLogger(__name__)
MODEL_SLUG = "house-recommender"
SLOW_S = 0.25
_VERSIONS = 3  # the live one, a canary, and the one before, whose last requests are being answered
_IN_USE = ("live", "suspended")
RESTING = "recommender_resting"
FAILURES = frozenset({"model_unusable", "recommender_failed", RESTING})
"""Why the engine gave nothing. Other reasons for the general list come of the person's own history."""


class EngineFailed(Exception):
    """Failure of the engine to recommend; ``code``, one of ``FAILURES``, says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_breakers: dict[str, CircuitBreaker] = {}


def _breaker(name: str) -> CircuitBreaker:
    """Return a version's own breaker, so that a canary that fails stops no other; those of old versions are dropped."""
    found = _breakers.get(name)
    if found is None:
        found = _breakers.setdefault(name, CircuitBreaker())
        for old in list(_breakers)[:-_VERSIONS]:
            _breakers.pop(old, None)
    return found


_load_lock = threading.Lock()
_loaded: dict[tuple[str, str], Model] = {}
"""Models by artifact and digest, in the order in which they were loaded."""


def model_in_use(bundle: LoadedBundle, subject_ref: UUID | None = None) -> str | None:
    """Return the version that serves a person: the canary in whose share they are, else the live one.

    Without either it is the newest suspended one, so that the decision says why it is not used. A canary whose gates do
    not stand is passed over: its people are served by the live version.
    """
    canary = _canary_of(bundle, subject_ref) if subject_ref and bundle.canaries else None
    if canary is not None:
        return canary
    versions = [
        (model["status"] == "live", model["version"], name)
        for name, model in bundle.data["models"].items()
        if model["id"] == MODEL_SLUG and model["status"] in _IN_USE
    ]
    return max(versions)[2] if versions else None


def _canary_of(bundle: LoadedBundle, subject_ref: UUID) -> str | None:
    found = candidate_of(bundle)
    return found if found and bundle.canaries[found].serves((subject_ref,)) else None


def candidate_of(bundle: LoadedBundle) -> str | None:
    """Return the canary of the model, whomever it serves, while its gates stand."""
    for name in bundle.canaries:
        model = bundle.data["models"][name]
        if model["id"] == MODEL_SLUG and model["gates"] == PASSED and not gates_have_ended(name, bundle, time.time()):
            return name
    return None


def segment_key(region: str, age_band: str) -> str:
    return f"region={region}|age={age_band}"


def load(name: str, bundle: LoadedBundle) -> Model:
    """Return the model's artifact. Raises EngineFailed if it is missing, changed, not the approved one or unsigned."""
    return load_stored(name, bundle.data["models"][name])


def load_stored(name: str, stored: Mapping[str, Any]) -> Model:
    """Return the model of what a bundle says, or would say, of a version. Raises as ``load``."""
    check_signature(name, stored)
    return read(stored["artifact"], stored["artifact_sha256"])


def read(artifact: str, digest: str) -> Model:
    """Return an artifact, whatever signature it has. Raises EngineFailed where it is not the file of that digest."""
    loaded = _loaded.get((artifact, digest))
    if loaded is not None:
        return loaded
    no_wait.refuse()
    try:
        with _load_lock:
            return _load(artifact, digest)
    except (Problem, OSError) as exc:
        logger.exception("The artifact %s cannot be used", artifact)
        raise EngineFailed("model_unusable") from exc


def check_signature(name: str, stored: Mapping[str, Any]) -> None:
    """Raise EngineFailed where the signature of a version is missing, not ours, or of something else.

    A signature that was checked is remembered: a thread without a database can load the model then.
    """
    try:
        _require_signed(stored.get("signature", ""), stored["id"], stored["version"], stored["artifact_sha256"])
    except NotGenuine as exc:
        logger.exception("The signature of %s cannot be trusted", name)
        raise EngineFailed("model_unusable") from exc


@lru_cache(maxsize=8)
def _require_signed(token: str, model: str, version: int, digest: str) -> None:
    signature.require(token, model=model, version=version, artifact_sha256=digest)


def _load(artifact: str, digest: str) -> Model:
    found = _loaded.get((artifact, digest))
    if found is None:
        folder = Path(settings.MODEL_DIR)
        found = _loaded[artifact, digest] = storage.load(folder / artifact, folder=folder, digest=digest)
        for old in list(_loaded)[:-_VERSIONS]:
            del _loaded[old]
    return found


@tracing.traced("recommender")
def recommend(name: str, bundle: LoadedBundle, **arguments: Any) -> Served:
    """Ask the model, in this thread. Raises EngineFailed and ReadingFailed.

    Failures in a row open the breaker, and so do answers that took longer than SLOW_S: an engine on a machine that is
    out of breath rests. To hand each request to another thread would cost more than the answer.
    """
    breaker = _breaker(name)
    if not breaker.allows():
        raise EngineFailed(RESTING)
    began = time.monotonic()
    try:
        served = compute(name, bundle, arguments)
    except (EngineFailed, ReadingFailed):
        # The artifact or the database, not the engine. Loading has logged what is wrong, and resting would hide it.
        raise
    except Exception as exc:
        breaker.failed()
        logger.exception("The recommender failed")
        raise EngineFailed("recommender_failed") from exc
    if time.monotonic() - began > SLOW_S:
        breaker.failed()
    else:
        breaker.succeeded()
    return served


def loaded(name: str, bundle: LoadedBundle) -> Model:
    """Return the model, to name items before it is asked. Raises EngineFailed, counted by the breaker."""
    try:
        return load(name, bundle)
    except EngineFailed:
        raise
    except Exception as exc:
        _breaker(name).failed()
        logger.exception("The recommender cannot be loaded")
        raise EngineFailed("recommender_failed") from exc


def compute(name: str, bundle: LoadedBundle, arguments: Mapping[str, Any]) -> Served:
    """Return the model's answer, without a segment that a monitor has stopped. Raises as ``recommend``."""
    stopped = {part: None for part in ("segment", "group") if _is_stopped(name, bundle, arguments.get(part))}
    served = load(name, bundle).recommend(**{**arguments, **stopped})
    if not all(map(isfinite, served.scores)):
        raise ArithmeticError("A score of the model is no finite number.")
    return served


def kinds_of(name: str, bundle: LoadedBundle, segment: str) -> list[str]:
    """Return the kinds of items that a segment's list holds more of than others do; of region and age, none."""
    return load(name, bundle).kinds_of(segment) if groups.kind_of(segment) is groups.Kind.TASTE else []


def is_resting() -> bool:
    """Return whether a version is not asked for a while, after failures."""
    return any(breaker.is_open for breaker in list(_breakers.values()))


def segment_size(name: str | None, bundle: LoadedBundle, key: str) -> int | None:
    """Return how many people are in a segment of the model in use; None where that cannot be known."""
    if name is None:
        return None
    if _is_stopped(name, bundle, key):
        return 0
    try:
        segment = loaded(name, bundle).segments.get(key)
    except EngineFailed:
        return None
    return segment.people if segment else 0


def _is_stopped(name: str, bundle: LoadedBundle, key: str | None) -> bool:
    """Return whether a segment of a version is off (``model_registry.segments``)."""
    return key in bundle.data["models"][name].get("stopped_segments", ())
