"""The decision: every caller of Assent ends in ``decide``.

information -> facts -> engine (memo) -> answer -> log. Whatever goes wrong on the way is a denial with a reason code of
its own; nothing here raises but ``SpoolFull`` (an answer that cannot be logged is not given). The memo is sound because
a verdict is a pure function of facts and revision, and facts hold no identity and no clock.
"""

import threading
import time
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec
from django.conf import settings

from common.identifiers import uuid7_text
from policies import bundles, engines, facts, information, pseudonyms
from policies.bundles import LoadedBundle
from policies.engines import EngineFailure, Verdict
from policies.engines.base import Reason
from policies.facts import Question
from policies.information import Information, InformationUnavailable
from policies.spool import Spool

MEMO_SIZE = 4096
_UNKNOWN_REASONS = frozenset(
    {
        "purpose_unknown",
        "subject_unknown",
        "region_unknown",
        "model_unknown",
        "stale_read",
        "bundle_missing",
        "engine_unavailable",
        "engine_timeout",
        "engine_undefined",
        "information_unavailable",
    }
)


class Prepared(msgspec.Struct, frozen=True):
    """A verdict with everything that does not change from one answer to the next already written out."""

    verdict: Verdict
    outcome: str
    facts: bytes
    digest: str
    answer: bytes  # members of the answer's context
    log: bytes  # members of the log entry
    engine: str


class Decision(msgspec.Struct, frozen=True):
    """What was answered. ``body`` is the AuthZEN document; the rest is for callers in this process."""

    id: str
    prepared: Prepared
    subject_revision: int
    valid_until: float | None
    bundle_revision: str
    body: bytes

    @property
    def permitted(self) -> bool:
        return self.prepared.verdict.decision

    @property
    def level(self) -> str:
        return self.prepared.verdict.level or "none"

    @property
    def reasons(self) -> list[str]:
        return [reason.code for reason in self.prepared.verdict.reasons]


_spool = Spool(settings.SPOOL_DIR)
_memo_lock = threading.Lock()


def decide(question: Question, *, caller: str, known: Information | None = None) -> Decision:
    """Answer a question, logged before it is returned. Raises SpoolFull and nothing else.

    One SQL statement, or none where the caller has read ``known`` for this very question. ``caller`` is named in the
    log as the audit trail names it (``service:NAME``).
    """
    started = time.perf_counter_ns()
    now = time.time()
    if known is None:
        try:
            known = information.read(question.subject_ref)
        except InformationUnavailable:
            known = information.NOTHING
            return _answer(question, known, _failure("information_unavailable", ""), None, caller, now, started)
    prepared, valid_until = _evaluate(question, known, now)
    return _answer(question, known, prepared, valid_until, caller, now, started)


def unavailable(question: Question, *, caller: str) -> Decision:
    """The denial for a question whose information could not be read."""
    prepared = _failure("information_unavailable", "")
    return _answer(question, information.NOTHING, prepared, None, caller, time.time(), time.perf_counter_ns())


def preview(question: Question, *, known: Information | None = None) -> Prepared:
    """What ``decide`` would answer now. Nothing is answered to anybody, so nothing is logged."""
    try:
        known = known or information.read(question.subject_ref)
    except InformationUnavailable:
        return _failure("information_unavailable", "")
    return _evaluate(question, known, time.time())[0]


def _evaluate(question: Question, known: Information, now: float) -> tuple[Prepared, float | None]:
    if known.bundle_revision is None:
        return _failure("bundle_missing", ""), None
    try:
        bundle = bundles.loaded(known.bundle_revision)
    except Exception:  # noqa: BLE001 (a bundle that cannot be read or parsed is a bundle that is missing)
        return _failure("bundle_missing", known.bundle_revision), None
    if (known.subject_revision or 0) < question.min_revision:
        return _failure("stale_read", bundle.revision), None
    asked = facts.build(question, known, bundle, now)
    prepared = bundle.memo.get(asked.document)
    if prepared is None:
        prepared = evaluate_facts(asked.document, bundle)
        if prepared.engine != "none":
            _remember(bundle, prepared)
    return prepared, asked.valid_until


def evaluate_facts(document: bytes, bundle: LoadedBundle) -> Prepared:
    """Ask the engine, memo or not. A failure of the engine is a prepared denial."""
    engine = engines.configured()
    try:
        verdict = engine.evaluate(bundle, document)
    except EngineFailure as failure:
        return _failure(failure.reason, bundle.revision, document)
    return as_prepared(verdict, document, engine.name)


def _remember(bundle: LoadedBundle, prepared: Prepared) -> None:
    if len(bundle.memo) >= MEMO_SIZE:
        with _memo_lock:
            # Oldest first: a dict keeps the order of insertion.
            for key in list(bundle.memo)[: MEMO_SIZE // 4]:
                bundle.memo.pop(key, None)
    bundle.memo[prepared.facts] = prepared


def _failure(code: str, revision: str, document: bytes = b"{}") -> Prepared:
    verdict = Verdict(
        revision=revision,
        decision=False,
        level="none",
        reasons=[Reason(code)],
        obligations=[],
        legal_basis=None,
        requestable=False,
    )
    return as_prepared(verdict, document, "none")


_encode = msgspec.json.Encoder().encode


def as_prepared(verdict: Verdict, document: bytes, engine: str) -> Prepared:
    """Write out what does not change from one answer to the next."""
    codes = [reason.code for reason in verdict.reasons]
    outcome = "permit" if verdict.decision else "unknown" if _UNKNOWN_REASONS.intersection(codes) else "deny"
    obligations = [
        {"id": f"o{number}", "type": o.type, "properties": o.properties}
        for number, o in enumerate(verdict.obligations, start=1)
    ]
    shared: dict[str, Any] = {"reasons": verdict.reasons, "obligations": obligations}
    if verdict.level is not None:
        shared = {"level": verdict.level, **shared}
    if verdict.legal_basis is not None:
        shared["legal_basis"] = verdict.legal_basis
    if verdict.revision:
        shared["bundle_revision"] = verdict.revision
    digest = blake2b(document, digest_size=16).hexdigest()
    log = {"outcome": outcome, "engine": engine, "facts_digest": digest, **shared, "facts": msgspec.Raw(document)}
    return Prepared(verdict, outcome, document, digest, _members(shared), _members(log), engine)


def _members(value: dict[str, Any]) -> bytes:
    return _encode(value)[1:-1]


def _answer(
    question: Question,
    known: Information,
    prepared: Prepared,
    valid_until: float | None,
    caller: str,
    now: float,
    started: int,
) -> Decision:
    decision_id = uuid7_text()
    revision = known.subject_revision or 0
    identity = decision_id.encode()
    ends = b""
    if valid_until is not None:
        ends = b',"valid_until":"%s"' % _timestamp(valid_until)
    body = b'{"decision":%s,"context":{"decision_id":"%s",%s,"subject_revision":%d%s}}' % (
        b"true" if prepared.verdict.decision else b"false",
        identity,
        prepared.answer,
        revision,
        ends,
    )
    line = b'{"id":"%s","at_us":%d,"caller":%s,"subject":"%s","subject_revision":%d,"duration_us":%d,%s}\n' % (
        identity,
        int(now * 1_000_000),
        _encode(caller),
        pseudonyms.tag(question.subject_ref, now),
        revision,
        (time.perf_counter_ns() - started) // 1000,
        prepared.log,
    )
    _spool.append(line)
    return Decision(decision_id, prepared, revision, valid_until, prepared.verdict.revision, body)


def _timestamp(epoch: float) -> bytes:
    return b"%sZ" % datetime.fromtimestamp(int(epoch), tz=UTC).isoformat()[:19].encode()
