"""Decisions: every caller of Assent ends in ``decide``, or in ``BatchEvaluation`` for several decisions in one answer.

information -> facts -> engine (memo) -> answer -> log. During a rollout the information says which revision answers,
and whether a candidate is evaluated as a shadow. Every failure on the way is a denial with a reason code of its own;
nothing here raises but ``SpoolFull`` (an answer that cannot be logged is not given) and, in a thread that must not
wait, ``WouldWait`` for an answer that is not remembered (``common.waiting.no_wait``). The memo is sound because a
verdict is a pure function of facts and revision. Facts about consent hold no identity and no clock; a package that asks
for entity ids (docs/decisions/0010) has a memo of its own, whose keys hold pseudonyms.
"""

import time
from typing import Any

import msgspec
from django.conf import settings

from common import tracing
from common.levels import LEVELS
from common.waiting import no_wait
from consent.pseudonyms import subject_ref
from policies import engines
from policies.bundles import loading, packages
from policies.bundles.loading import LoadedBundle
from policies.bundles.packages import Pseudonym
from policies.decision_log import pseudonyms
from policies.decision_log.spool import Spool
from policies.decisions import facts, information, spans
from policies.decisions.information import Information, InformationUnavailable
from policies.decisions.memo import ENTRY_BYTES, MIB, Memo
from policies.decisions.questions import AnyQuestion, EntityQuestion, Question
from policies.decisions.rendering import (
    NO_FACTS,
    Decision,
    RenderedVerdict,
    compose,
    difference,
    failure,
    joined,
    render_verdict,
    warned,
)
from policies.engines import Engine, EngineFailure, EngineTimeout, EngineUnavailable, Verdict
from policies.engines.base import QUERY

__all__ = [
    "BatchEvaluation",
    "Decision",
    "RenderedVerdict",
    "decide",
    "evaluate_facts",
    "preview",
    "render_verdict",
    "unavailable",
]
_Key = tuple[str, bytes]  # the revision and the facts
VerdictMemo = Memo[_Key, RenderedVerdict]
_spool = Spool(settings.SPOOL_DIR)
# The caller states another region than the register has: the stricter answer of both is given (decision 0024).
_REGION_CONFLICT = "region_conflict"
# What must not be shown in one of the two regions is not shown, and the bounds of prices of both bind.
_OF_BOTH = frozenset({"hide_items", "hide_flagged", "hide_promotions", "mask_fields", "price_bounds", "cap_showings"})


def _size_of(_key: _Key, rendered: RenderedVerdict) -> int:
    # The objects of a verdict take several times the bytes they are written with.
    return ENTRY_BYTES + len(rendered.facts) + len(rendered.log) + 8 * len(rendered.answer)


VERDICTS: VerdictMemo = Memo(32 * MIB, _size_of)
# A search asks about every stored entity: fewer than those, and each search would evaluate all of them anew.
ENTITY_VERDICTS: VerdictMemo = Memo(64 * MIB, _size_of)


def decide(question: Question, *, caller: str, known: Information | None = None) -> Decision:
    """Answer a question as a batch of one, logged before it is returned. Raises SpoolFull and nothing else.

    One SQL statement, or none where the caller has read ``known`` for this very question. ``caller`` is named in the
    log as the audit trail names it (``service:NAME``).
    """
    batch = BatchEvaluation(caller=caller)
    decision = batch.decide(question, known or _read(question))
    batch.log()
    return decision


def unavailable(question: Question, *, caller: str) -> Decision:
    """Return the denial for a question whose information could not be read."""
    batch = BatchEvaluation(caller=caller)
    decision = batch.decide(question, None)
    batch.log()
    return decision


def preview(question: Question, *, known: Information | None = None) -> RenderedVerdict:
    """Return what ``decide`` would answer now. It is not an answer to a caller, so nothing is logged."""
    return _of_person(question, known or _read(question), time.time())[0]


def engine_failure(revision: str) -> str | None:
    """Ask the engine a question that no memo answers; return the reason code of its failure, or None.

    Nothing is logged: it is not an answer to a caller.
    """
    bundle = loading.usable(revision)
    if bundle is None:
        return "bundle_missing"
    question = Question(subject_ref=information.NO_SUBJECT, action="read", purpose="readiness")
    asked = facts.build(question, information.NOTHING, bundle, time.time())
    try:
        engines.configured().evaluate(bundle, asked.document, QUERY)
    except EngineFailure as failed:
        return failed.reason
    return None


def check_spool() -> None:
    """Raise SpoolFull where an answer could not be logged now."""
    _spool.check()


class BatchEvaluation:
    """Decisions that leave together in one answer, as of one moment, logged by one write."""

    __slots__ = ("_caller", "_lines", "_now", "_started", "_tags")

    def __init__(self, *, caller: str) -> None:
        self._caller = caller
        self._now = time.time()
        self._started = time.perf_counter_ns()
        self._lines: list[bytes] = []
        self._tags: dict[tuple[str, str], str] = {}

    @tracing.traced("decision", span_attributes=spans.of_decision)
    def decide(self, question: AnyQuestion, known: Information | None) -> Decision:
        """Answer a question of either kind; ``known`` is None where it could not be read."""
        if isinstance(question, EntityQuestion):
            return self.answer(question, self.evaluate(question, known))
        rendered, valid_until = _of_person(question, known, self._now)
        tag = b"" if question.is_visitor else pseudonyms.tag(question.subject_ref, self._now)
        return self._add(rendered, tag, known or information.NOTHING, valid_until)

    def evaluate(self, question: EntityQuestion, known: Information | None) -> RenderedVerdict:
        """Return what would be answered; what is shown to a caller goes to ``answer`` as well."""
        return _of_entities(question, known, self._tag)

    def answer(self, question: EntityQuestion, rendered: RenderedVerdict) -> Decision:
        """Answer with what ``evaluate`` returned."""
        return self._add(rendered, self._tag(question.subject_type, question.subject_id).encode(), information.NOTHING)

    def answer_without_subject(self, rendered: RenderedVerdict) -> Decision:
        """Answer without looking up a person: they are another cell's, and the log gets no pseudonym."""
        return self._add(rendered, b"", information.NOTHING)

    def log(self) -> None:
        """Spool every line; only then may the answers leave. Raises SpoolFull, and none of them is logged."""
        if self._lines:
            _spool.append(b"".join(self._lines))

    def _tag(self, entity_type: str, entity_id: str) -> str:
        """Return the pseudonym of an entity in this month's log."""
        tag = self._tags.get((entity_type, entity_id))
        if tag is None:
            ref = subject_ref(entity_id, subject_type=entity_type)
            tag = self._tags[entity_type, entity_id] = pseudonyms.tag(ref, self._now).decode()
        return tag

    def _add(
        self, rendered: RenderedVerdict, tag: bytes, known: Information, valid_until: float | None = None
    ) -> Decision:
        shadow = _shadow(rendered, known) if known.is_shadow else b""
        ended = time.perf_counter_ns()
        decision, line = compose(
            rendered,
            caller=self._caller,
            subject=tag,
            subject_revision=known.subject_revision or 0,
            valid_until=valid_until,
            at=self._now,
            duration_us=(ended - self._started) // 1000,
            shadow=shadow,
            candidate=known.candidate,
        )
        self._started = ended
        self._lines.append(line)
        return decision


def evaluate_facts(document: bytes, bundle: LoadedBundle, *, candidate: str | None = None) -> RenderedVerdict:
    """Ask the engine, whatever is remembered. A failure of the engine is a rendered denial.

    ``candidate`` is the revision of the rollout, which another server may answer for.
    """
    return _asked(engines.for_revision(bundle.revision, candidate), bundle, document, document, QUERY)


def _read(question: Question) -> Information | None:
    try:
        return information.read(question.subject_ref)
    except InformationUnavailable:
        return None


def _of_person(question: Question, known: Information | None, now: float) -> tuple[RenderedVerdict, float | None]:
    """Evaluate a question about consent, and say when the answer may change by itself."""
    if known is None:
        return failure("information_unavailable", ""), None
    bundle = loading.usable(known.bundle_revision)
    if bundle is None:
        return failure("bundle_missing", known.bundle_revision or ""), None
    if (known.subject_revision or 0) < question.min_revision:
        return failure("stale_read", bundle.revision), None
    fault = _unanswerable(question, known, bundle)
    if fault is not None:
        return failure(fault, bundle.revision), None
    answered = _asked_as(question, known, bundle, now)
    if not facts.states_another_region(question, known, bundle):
        return answered
    stored = _asked_as(msgspec.structs.replace(question, region=None), known, bundle, now)
    (rendered, valid_until), (more, other) = sorted((stored, answered), key=lambda each: _permission(each[0]))
    ends = min((end for end in (valid_until, other) if end is not None), default=None)
    return warned(joined(rendered, more, _OF_BOTH), _REGION_CONFLICT), ends


def _asked_as(
    question: Question, known: Information, bundle: LoadedBundle, now: float
) -> tuple[RenderedVerdict, float | None]:
    asked = facts.build(question, known, bundle, now)
    return _remembered(VERDICTS, known.candidate, bundle, asked.document, asked.document, QUERY), asked.valid_until


def _permission(rendered: RenderedVerdict) -> tuple[bool, int]:
    """Return how much a verdict permits, to take the least of two."""
    return rendered.verdict.decision, LEVELS.get(rendered.verdict.level or "none", 0)


def _unanswerable(question: Question, known: Information, bundle: LoadedBundle) -> str | None:
    """Return why a question cannot be asked of the policy: facts have no word for the mistake, the reason has.

    Choices about one recipient are kept by its name, so under a name of another spelling a refusal would not be found.
    """
    if not question.purpose:
        return "purpose_missing"
    if known.subject_revision is None and not question.is_usual_type:
        return "subject_type_unknown"
    if question.recipient is not None and question.action != "share" and question.recipient not in bundle.recipients:
        return "recipient_unknown"
    return None


def _of_entities(question: EntityQuestion, known: Information | None, pseudonym: Pseudonym) -> RenderedVerdict:
    """Evaluate a question that another package than consent answers."""
    bundle = loading.usable(known.bundle_revision) if known else None
    package = bundle.packages.get(question.resource_type) if bundle else None
    if known is None or bundle is None or package is None:
        return failure("bundle_missing", "")
    asked = packages.build(question, package, pseudonym)
    return _remembered(ENTITY_VERDICTS, known.candidate, bundle, asked.logged, asked.document, package.query)


def _remembered(
    memo: VerdictMemo, candidate: str | None, bundle: LoadedBundle, logged: bytes, document: bytes, query: str
) -> RenderedVerdict:
    """Answer from the memo, or ask the engine; ``logged`` are the facts as the log and the memo's key have them."""
    key = (bundle.revision, logged)
    rendered = memo.get(key)
    if rendered is None:
        no_wait.refuse()
        engine = engines.for_revision(bundle.revision, candidate)
        rendered = _asked(engine, bundle, logged, document, query)
        # No failure is kept, and nothing a stand-in answered: OPA is the authority.
        if rendered.engine == engine.name:
            memo.remember(key, rendered)
    elif tracing.ON:
        tracing.note("assent.memo_hit", True)
    return rendered


def _asked(engine: Engine, bundle: LoadedBundle, logged: bytes, document: bytes, query: str) -> RenderedVerdict:
    try:
        verdict, name = _verdict(engine, bundle, document, query)
    except EngineFailure as failed:
        return failure(failed.reason, bundle.revision, logged)
    return render_verdict(verdict, logged, name)


@tracing.traced("engine", span_attributes=lambda answered: {"assent.engine": answered[1]})
def _verdict(engine: Engine, *asked: Any) -> tuple[Verdict, str]:
    """Return the verdict and the engine it came from: the stand-in where there is one and the other does not answer."""
    try:
        return engine.evaluate(*asked), engine.name
    except (EngineUnavailable, EngineTimeout):
        stand_in = engines.stand_in()
        if stand_in is None:
            raise
        return stand_in.evaluate(*asked), stand_in.name


def _shadow(answered: RenderedVerdict, known: Information) -> bytes:
    """Return the shadow's entry for the log. Any failure here is recorded as a difference.

    The facts are the same: both revisions were built over the same registers, and facts rest on nothing else.
    """
    if answered.facts == NO_FACTS:
        return b""
    bundle = loading.usable(known.candidate)
    if bundle is None:
        return difference(answered, failure("bundle_missing", known.candidate or "", answered.facts))
    try:
        return difference(answered, _of_candidate(answered.facts, bundle))
    except Exception:  # noqa: BLE001 (the answer stands, whatever a candidate does)
        return difference(answered, failure("engine_undefined", bundle.revision, answered.facts))


@tracing.traced("decision.candidate", span_attributes=spans.of_verdict)
def _of_candidate(document: bytes, bundle: LoadedBundle) -> RenderedVerdict:
    return _remembered(VERDICTS, bundle.revision, bundle, document, document, QUERY)
