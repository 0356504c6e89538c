"""What a decision needs, tried the way a decision uses it: the statement, the engine, the spool."""

import threading
import time
from collections.abc import Callable

from django.conf import settings

from common.postgres.prepared import POOLER, is_of_pooler
from policies.decision_log.spool import SpoolFull
from policies.decisions import evaluate, information
from policies.decisions.information import InformationUnavailable

NO_STATEMENT = "the statement of decisions fails"
NO_ENGINE = "the engine does not evaluate"
NO_SPOOL = "decisions cannot be logged: the disk is full, or the spool folder is not writable"


def statement_fault() -> str | None:
    """Run the statement every decision runs; return what is wrong, or None."""
    try:
        information.read(information.NO_SUBJECT)
    except InformationUnavailable as exc:
        return POOLER if is_of_pooler(exc.__cause__ or exc.__context__) else NO_STATEMENT
    return None


class Remembered:
    """Result of a probe that costs more, kept for a moment: whoever asks for readiness, it runs once in that time."""

    def __init__(self, probe: Callable[[str], list[str]], *, for_s: float) -> None:
        self._probe, self._for_s = probe, for_s
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, list[str]]] = {}

    def faults(self, revision: str) -> list[str]:
        """Return what is wrong with a revision in force."""
        with self._lock:
            tried_at, faults = self._known.get(revision, (float("-inf"), []))
            if time.monotonic() - tried_at >= self._for_s:
                faults = self._probe(revision)
                self._known = {revision: (time.monotonic(), faults)}
            return faults


def _engine_and_spool(revision: str) -> list[str]:
    faults = []
    # An OPA server has a time to come back in (READY_OPA_BEHIND_S), which freshness keeps.
    if not settings.OPA_URL and evaluate.engine_failure(revision):
        faults.append(NO_ENGINE)
    try:
        evaluate.check_spool()
    except SpoolFull:
        faults.append(NO_SPOOL)
    return faults


PROBE = Remembered(_engine_and_spool, for_s=2.0)
