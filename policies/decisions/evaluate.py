"""Decisions: every caller of Assent ends in ``decide``, or in ``BatchEvaluation`` for several decisions in one answer.

information -> facts -> engine (memo) -> answer -> log. During a rollout the information says which revision answers,
and whether a candidate is evaluated as a shadow. Every failure on the way is a denial with a reason code of its own;
nothing here raises but ``SpoolFull`` (an answer that cannot be logged is not given). The memo is sound because a
verdict is a pure function of facts and revision. Facts about consent hold no identity and no clock; a package that asks
for entity ids (docs/decisions/0010) has a memo of its own, whose keys hold pseudonyms.
"""

import threading
import time
from typing import Any

from django.conf import settings

from common import tracing
from consent.pseudonyms import subject_ref
from policies import engines
from policies.bundles import loading, packages
from policies.bundles.loading import LoadedBundle
from policies.bundles.packages import EntityQuestion, Package, Pseudonym
from policies.decision_log import pseudonyms
from policies.decision_log.spool import Spool
from policies.decisions import facts, information, spans
from policies.decisions.facts import Question
from policies.decisions.information import Information, InformationUnavailable
from policies.decisions.rendering import (
    NO_FACTS,
    Decision,
    RenderedVerdict,
    compose,
    difference,
    failure,
    render_verdict,
)
from policies.engines import EngineFailure, EngineTimeout, EngineUnavailable, Verdict

__all__ = [
    "BatchEvaluation",
    "Decision",
    "RenderedVerdict",
    "decide",
    "evaluate_facts",
    "preview",
    "render_verdict",
    "unavailable",
]  # fmt: skip
MEMO_SIZE = 4096
# A search asks about every stored entity: fewer than those, and each search would evaluate all of them anew.
ENTITY_MEMO_SIZE = 4 * MEMO_SIZE
_spool = Spool(settings.SPOOL_DIR)
_memo_lock = threading.Lock()


@tracing.traced("decision", span_attributes=spans.of_decision)
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
            return _answer(question, known, failure("information_unavailable", ""), None, caller, now, started)
    rendered, valid_until = _evaluate(question, known, now)
    return _answer(question, known, rendered, valid_until, caller, now, started, _beside(known, rendered))


def unavailable(question: Question, *, caller: str) -> Decision:
    """Return the denial for a question whose information could not be read."""
    rendered = failure("information_unavailable", "")
    return _answer(question, information.NOTHING, rendered, None, caller, time.time(), time.perf_counter_ns())


def preview(question: Question, *, known: Information | None = None) -> RenderedVerdict:
    """Return what ``decide`` would answer now. It is not an answer to a caller, so nothing is logged."""
    try:
        known = known or information.read(question.subject_ref)
    except InformationUnavailable:
        return failure("information_unavailable", "")
    return _evaluate(question, known, time.time())[0]


def _evaluate(question: Question, known: Information, now: float) -> tuple[RenderedVerdict, float | None]:
    bundle = loading.usable(known.bundle_revision)
    if bundle is None:
        return failure("bundle_missing", known.bundle_revision or ""), None
    if (known.subject_revision or 0) < question.min_revision:
        return failure("stale_read", bundle.revision), None
    asked = facts.build(question, known, bundle, now)
    return _of_facts(asked.document, bundle), asked.valid_until


def _of_facts(document: bytes, bundle: LoadedBundle) -> RenderedVerdict:
    rendered: RenderedVerdict | None = bundle.memo.get(document)
    if rendered is None:
        rendered = evaluate_facts(document, bundle)
        _remember(bundle.memo, rendered)
    elif tracing.ON:
        tracing.note("assent.memo_hit", True)
    return rendered


@tracing.traced("decision.candidate", span_attributes=spans.of_verdict)
def _of_candidate(document: bytes, bundle: LoadedBundle) -> RenderedVerdict:
    return _of_facts(document, bundle)


def _beside(known: Information, answered: RenderedVerdict) -> bytes:
    """Return the log's member about a shadow candidate. Any failure here is a difference.

    The facts are the same: both revisions were built over the same registers, and facts rest on nothing else.
    """
    if not known.is_shadow or answered.facts == NO_FACTS:
        return b""
    bundle = loading.usable(known.candidate)
    if bundle is None:
        return difference(answered, failure("bundle_missing", known.candidate or "", answered.facts))
    try:
        return difference(answered, _of_candidate(answered.facts, bundle))
    except Exception:  # noqa: BLE001 (the answer stands, also when a candidate fails)
        return difference(answered, failure("engine_undefined", bundle.revision, answered.facts))


def evaluate_facts(document: bytes, bundle: LoadedBundle) -> RenderedVerdict:
    """Evaluate facts, memo or not. A failure of the engine is a rendered denial."""
    try:
        verdict, engine = _ask(bundle, document)
    except EngineFailure as failed:
        return failure(failed.reason, bundle.revision, document)
    return render_verdict(verdict, document, engine)


@tracing.traced("engine", span_attributes=lambda answered: {"assent.engine": answered[1]})
def _ask(bundle: LoadedBundle, *asked: Any) -> tuple[Verdict, str]:
    """Return the verdict and the name of its engine: the stand-in's where the other is away."""
    engine = engines.for_revision(bundle.revision)
    try:
        return engine.evaluate(bundle, *asked), engine.name
    except (EngineUnavailable, EngineTimeout):
        stand_in = engines.stand_in()
        if stand_in is None:
            raise
        return stand_in.evaluate(bundle, *asked), stand_in.name


def _evaluate_entities(
    question: EntityQuestion, package: Package, bundle: LoadedBundle, pseudonym: Pseudonym
) -> RenderedVerdict:
    asked = packages.build(question, package, pseudonym)
    rendered: RenderedVerdict | None = bundle.entity_memo.get(asked.logged)
    if rendered is None:
        try:
            verdict, engine = _ask(bundle, asked.document, package.query)
        except EngineFailure as failed:
            return failure(failed.reason, bundle.revision, asked.logged)
        rendered = render_verdict(verdict, asked.logged, engine)
        _remember(bundle.entity_memo, rendered, ENTITY_MEMO_SIZE)
    elif tracing.ON:
        tracing.note("assent.memo_hit", True)
    return rendered


def _remember(memo: dict[bytes, RenderedVerdict], rendered: RenderedVerdict, at_most: int | None = None) -> None:
    """Keep the configured engine's verdict. No failure is kept, and nothing a stand-in said: OPA is the authority."""
    if rendered.engine != engines.for_revision(rendered.verdict.revision).name:
        return
    size = at_most or MEMO_SIZE
    if len(memo) >= size:
        with _memo_lock:
            # Oldest first: a dict keeps the order of insertion.
            for key in list(memo)[: size // 4]:
                memo.pop(key, None)
    memo[rendered.facts] = rendered


def _answer(
    question: Question,
    known: Information,
    rendered: RenderedVerdict,
    valid_until: float | None,
    caller: str,
    now: float,
    started: int,
    shadow: bytes = b"",
) -> Decision:
    decision, line = compose(
        rendered,
        caller=caller,
        subject=pseudonyms.tag(question.subject_ref, now),
        subject_revision=known.subject_revision or 0,
        valid_until=valid_until,
        at=now,
        duration_us=(time.perf_counter_ns() - started) // 1000,
        shadow=shadow,
    )
    _spool.append(line)
    return decision


class BatchEvaluation:
    """Batch evaluation: decisions of one answer, as of one moment, logged by one write."""

    def __init__(self, *, caller: str) -> None:
        self._caller = caller
        self._now = time.time()
        self._started = time.perf_counter_ns()
        self._lines: list[bytes] = []
        self._tags: dict[tuple[str, str], str] = {}

    @tracing.traced("decision", span_attributes=spans.of_decision)
    def decide(self, question: Question, known: Information) -> Decision:
        """Decide a question about consent, as the function of this name does."""
        rendered, valid_until = _evaluate(question, known, self._now)
        tag = pseudonyms.tag(question.subject_ref, self._now)
        return self._add(rendered, tag, known.subject_revision or 0, valid_until, _beside(known, rendered))

    @tracing.traced("decision", span_attributes=spans.of_decision)
    def decide_entities(self, question: EntityQuestion, package: Package, bundle: LoadedBundle) -> Decision:
        """Decide a question of another package."""
        return self.answer_entities(question, self.evaluate_entities(question, package, bundle))

    def evaluate_entities(self, question: EntityQuestion, package: Package, bundle: LoadedBundle) -> RenderedVerdict:
        """Evaluate without logging. A result that leaves the process goes through ``answer_entities``."""
        return _evaluate_entities(question, package, bundle, self._tag)

    def answer_entities(self, question: EntityQuestion, rendered: RenderedVerdict) -> Decision:
        return self._add(rendered, self._tag(question.subject_type, question.subject_id).encode(), 0, None)

    def answer_about_nobody(self, rendered: RenderedVerdict) -> Decision:
        """Decide without a lookup: the person is another cell's, and the log gets no pseudonym."""
        return self._add(rendered, b"", 0, None)

    def log(self) -> None:
        """Spool every line; only then may the answers leave. Raises SpoolFull, and none of them is logged."""
        if self._lines:
            _spool.append(b"".join(self._lines))

    def _tag(self, entity_type: str, entity_id: str) -> str:
        """Return the log's pseudonym of an entity for this month."""
        tag = self._tags.get((entity_type, entity_id))
        if tag is None:
            ref = subject_ref(entity_id, subject_type=entity_type)
            tag = self._tags[entity_type, entity_id] = pseudonyms.tag(ref, self._now).decode()
        return tag

    def _add(
        self, rendered: RenderedVerdict, tag: bytes, revision: int, valid_until: float | None, shadow: bytes = b""
    ) -> Decision:
        ended = time.perf_counter_ns()
        decision, line = compose(
            rendered,
            caller=self._caller,
            subject=tag,
            subject_revision=revision,
            valid_until=valid_until,
            at=self._now,
            duration_us=(ended - self._started) // 1000,
            shadow=shadow,
        )
        self._started = ended
        self._lines.append(line)
        return decision
