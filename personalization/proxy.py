"""PEP: recommendations only as far as the decision permits.

decide -> serve at the permitted level, or what a person approved -> say level, reasons and why for every item. After
any failure, the person gets the list everybody gets (level ``none``), and the answer says so.
"""

import logging
import time

import msgspec
from django.db import DatabaseError

from common import tracing
from common.tracing import Attributes
from common.waiting import no_wait
from model_registry.reviews.outputs import serving
from model_registry.reviews.outputs.serving import Show
from personalization import engine
from personalization.monitors import tally
from personalization.review import outputs
from personalization.rollouts import observing
from personalization.rules import hidden as hiding
from personalization.rules import masked as masking
from personalization.segments import membership
from personalization.serving import items, known, making, reading
from personalization.serving.items import Items
from personalization.serving.known import Known
from personalization.serving.making import Permit
from personalization.serving.requests import RecommendationRequest, Recommendations, Written
from personalization.showings import caps
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.decisions.evaluate import BatchEvaluation, Decision
from policies.decisions.information import NO_SUBJECT
from policies.decisions.questions import Question

logger = logging.getLogger(__name__)
_FULFILLED = frozenset(
    {
        "max_level",
        "exclude_categories",
        "non_profiled",
        "log_transfer",
        "human_review",
        "hide_items",
        "hide_flagged",
        "hide_promotions",
        "cap_showings",
        "mask_fields",
    }
)
# A review would keep an output, and of a visitor nothing is kept.
_FULFILLED_FOR_VISITORS = _FULFILLED - {"human_review", "cap_showings"}


def _span_attributes(answer: Recommendations) -> Attributes:
    return {"assent.level": answer.level, "assent.model": answer.model, "assent.fallback": answer.fallback}


@tracing.traced("personalization", span_attributes=_span_attributes)
def recommend(request: RecommendationRequest, *, caller: str, about: Known | None = None) -> Recommendations:
    """Serve one person. ``about``: where it was read with the caller. Raises SpoolFull only; failures are ``none``."""
    started = time.perf_counter()
    about = about or known.read_if_possible(request.subject_ref, request.purpose, request.asked_level)
    request, catalogue = _made_for(request, about), items.at(about.catalogue)
    made = _make(request, caller, about)
    answer = _capped(request, _reviewed(request, made, catalogue), catalogue).masking(made.masked)
    _count(answer, time.perf_counter() - started)
    return answer


def _count(answer: Recommendations, seconds: float) -> None:
    """Count an answer for the monitors of its model."""
    tally.answered(
        model=answer.model,
        permitted=answer.decision.level or "none",
        level=answer.level,
        fallback=answer.fallback,
        seconds=seconds,
    )
    tally.resting(engine.is_resting())
    if answer.model is not None and answer.level != "none":
        tally.shown(answer.model, answer.written.ids)


def make(request: RecommendationRequest, *, caller: str) -> Recommendations:
    """Make what would be served if no person had to look at it first. Raises as ``recommend``."""
    about = known.read_if_possible(request.subject_ref, request.purpose, request.asked_level)
    return _make(_made_for(request, about), caller, about)


def _made_for(request: RecommendationRequest, about: Known) -> RecommendationRequest:
    """Return the request with whom it is made for."""
    seen_by = hiding.viewer(
        about.information, region=request.region, age_band=request.age_band, purpose=request.purpose
    )
    return msgspec.structs.replace(request, seen_by=seen_by)


def _make(request: RecommendationRequest, caller: str, about: Known) -> Recommendations:
    """Make an answer and log its decision; only then may it leave.

    In this order, so that a thread that must not wait has no effect before it knows that it need not.
    """
    batch = BatchEvaluation(caller=caller)
    bundle = loading.usable(about.information.bundle_revision)
    if bundle is None:
        decision, catalogue = batch.decide(_question(request), None), items.at(about.catalogue)
        answer = making.general(request, decision, None, catalogue, fallback="information_unavailable")
    else:
        answer = _recommend(request, batch, about, bundle)
    masked = masking.by_verdict(answer.decision.rendered)
    answer = msgspec.structs.replace(answer, masked=masked) if masked else answer
    batch.log()
    if bundle is not None:
        observing.note(answer, bundle)
    return answer


def _recommend(
    request: RecommendationRequest, batch: BatchEvaluation, about: Known, bundle: LoadedBundle
) -> Recommendations:
    person, catalogue = about.information, items.at(about.catalogue)
    model = engine.model_in_use(bundle, None if request.is_visitor else request.subject_ref)
    has_group = request.asked_level != "none" and not request.is_visitor
    group = membership.group_of(request.subject_ref, request.purpose, model, bundle) if has_group else None
    size = engine.segment_size(model, bundle, engine.segment_key(person.region, person.age_band))
    if group is not None:
        size = engine.segment_size(model, bundle, group) or size
    counted = () if request.is_visitor else caps.asked(request.purpose, bundle)
    question = _question(request, model=model, segment_size=size, counted=counted)
    decision = batch.decide(question, person)
    if not decision.permitted:
        return making.general(request, decision, model, catalogue)
    fulfilled = _FULFILLED_FOR_VISITORS if request.is_visitor else _FULFILLED
    duties = decision.rendered.verdict.obligations
    if any(duty.type not in fulfilled or not masking.is_understood(duty) for duty in duties):
        # A permit with a condition that is not understood is no permit (AuthZEN obligations profile).
        return making.general(request, decision, model, catalogue, fallback="obligation_not_supported")
    if model is None:
        return making.general(request, decision, None, catalogue, fallback="no_model")
    permit = Permit(request, decision, about, model, bundle, group)
    if about.is_held or outputs.marks(decision) or permit.caps.caps:
        no_wait.refuse()  # what is reviewed or counted is written down
    return making.personal(permit)


def recommend_unrouted(count: int, decision: Decision, candidates: tuple[str, ...] | None = None) -> Recommendations:
    """Recommend the general list, where the person's own cell cannot be asked: nothing is looked up."""
    wanted = RecommendationRequest(subject_ref=NO_SUBJECT, count=count, candidates=candidates, processing_region="")
    answer = making.general(wanted, decision, None, items.at(None), fallback=decision.reasons[0])
    return answer.masking(masking.by_verdict(decision.rendered))


def _question(
    request: RecommendationRequest,
    *,
    model: str | None = None,
    segment_size: int | None = None,
    counted: tuple[str, ...] = (),
) -> Question:
    return Question(
        subject_ref=request.subject_ref,
        is_visitor=request.is_visitor,
        action="personalize",
        purpose=request.purpose,
        requested_level=request.asked_level,
        data_categories=request.data_categories + counted,
        model=model,
        region=request.region,
        age_band=request.age_band,
        processing_region=request.processing_region,
        gpc=request.signals.gpc,
        gpp_opt_out=request.signals.gpp_opt_out,
        tcf_present=request.signals.tcf_present,
        tcf_purposes=request.signals.tcf_purposes,
        segment_size=segment_size,
    )


def _reviewed(request: RecommendationRequest, answer: Recommendations, catalogue: Items) -> Recommendations:
    """Return the answer as far as a review by a person lets it be shown; the general list where none is over."""
    marks = outputs.marks(answer.decision)
    if answer.output is None or not (marks or answer.is_held):
        return answer
    try:
        shown = serving.resolve(answer.output(), marks)
        if shown.show is Show.MADE:
            return answer
        if shown.content is None:
            return making.general(request, answer.decision, answer.model, catalogue, fallback=shown.show.value)
        hidden = hiding.hidden(answer.decision, request.seen_by)
        wanted = outputs.still_wanted(shown.content, request.subject_ref, request.purpose, hidden)[: request.count]
    except (DatabaseError, reading.ReadingFailed):
        logger.exception("Whether an output waits for a review cannot be read")
        return making.general(request, answer.decision, answer.model, catalogue, fallback="review_unavailable")
    return msgspec.structs.replace(answer, level=shown.content["level"], written=Written.of(wanted), fallback=None)


def _capped(request: RecommendationRequest, answer: Recommendations, catalogue: Items) -> Recommendations:
    """Return the answer without what a cap lets no longer be shown; what is left is counted as shown.

    A general list is not counted: it has no promotions where they are under a cap.
    """
    limits = caps.of(answer.decision, request.subject_ref, request.purpose)
    if answer.level == "none" or not limits.caps:
        return answer
    try:
        refused = limits.count(answer.written.ids)
    except reading.ReadingFailed:
        return making.general(request, answer.decision, answer.model, catalogue, fallback="information_unavailable")
    if not refused:
        return answer
    return msgspec.structs.replace(
        answer, written=Written.of([item for item in answer.items if item["item"] not in refused])
    )
