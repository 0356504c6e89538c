"""PEP: recommendations only as far as the decision permits.

decide -> serve at the permitted level, or what a person approved -> say level, reasons and why for every item. After
any failure, the person gets the list everybody gets (level ``none``), and the answer says so.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext as _

from common import tracing
from common.levels import LEVELS
from common.tracing import Attributes
from consent.signals import NO_SIGNALS, Signals
from model_registry.reviews.outputs import serving
from model_registry.reviews.outputs.holding import Made
from model_registry.reviews.outputs.serving import Show
from personalization import engine, events
from personalization.creators import opt_outs
from personalization.models import Event, Item, PopularItem
from personalization.monitors import tally
from personalization.recommender.interactions import Interaction
from personalization.recommender.levels import BEHAVIORAL_WINDOW
from personalization.recommender.model import Recommendation, Served
from personalization.review import outputs
from personalization.rollouts import observing
from policies.bundles import loading, reasons
from policies.bundles.loading import LoadedBundle
from policies.decisions import evaluate, information
from policies.decisions.evaluate import Decision
from policies.decisions.information import Information, InformationUnavailable
from policies.decisions.questions import Question

logger = logging.getLogger(__name__)
_FULFILLED = frozenset({"max_level", "exclude_categories", "non_profiled", "log_transfer", "human_review"})
_MAX_HISTORY = 5_000
_SPARE = 20  # recommendations that may turn out to be unwanted
_MAX_COUNT = 100


@dataclass(frozen=True, kw_only=True)
class RecommendationRequest:
    """A service's request for one person."""

    subject_ref: UUID
    purpose: str = "recommendations"
    requested_level: str = "individual"
    count: int = 10
    session: tuple[str, ...] = ()
    signals: Signals = NO_SIGNALS
    non_profiled: bool = False
    region: str | None = None
    processing_region: str
    data_categories: tuple[str, ...] = ("purchases", "ratings", "views")


@dataclass(frozen=True)
class Recommendations:
    """What was served, at which level, by which decision. ``output``: what a person may have to review first."""

    level: str
    items: list[dict[str, Any]]
    decision: Decision
    model: str | None
    fallback: str | None = None
    took_us: int | None = None  # of the engine
    notes: list[str] = field(default_factory=list)
    output: Made | None = None

    def document(self) -> dict[str, Any]:
        verdict = self.decision.rendered.verdict
        return {
            "level": self.level,
            "permitted_level": self.decision.level,
            "decision_id": self.decision.id,
            "reasons": [
                {"code": reason.code, "detail": reason.detail, "sentence": reasons.for_person(reason.code)}
                for reason in verdict.reasons
            ],
            "model": self.model,
            "fallback": self.fallback,
            "items": self.items,
            "profiled": self.level != "none",
            "bundle_revision": self.decision.bundle_revision,
            "subject_revision": self.decision.subject_revision,
        }


def _span_attributes(answer: Recommendations) -> Attributes:
    return {"assent.level": answer.level, "assent.model": answer.model, "assent.fallback": answer.fallback}


@tracing.traced("personalization", span_attributes=_span_attributes)
def recommend(request: RecommendationRequest, *, caller: str) -> Recommendations:
    """Serve one person. Raises SpoolFull only; engine failures are level ``none``."""
    started = time.perf_counter()
    answer = _reviewed(request, make(request, caller=caller))
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
        tally.shown(answer.model, (str(item["item"]) for item in answer.items))


def make(request: RecommendationRequest, *, caller: str) -> Recommendations:
    """Make what would be served if no person had to look at it first. Raises as ``recommend``."""
    try:
        known = information.read(request.subject_ref)
    except InformationUnavailable:
        known = information.NOTHING
    bundle = loading.usable(known.bundle_revision)
    if bundle is None:
        decision = evaluate.unavailable(_question(request), caller=caller)
        return _popular(request.count, decision, None, fallback="information_unavailable")
    answer = _recommend(request, caller, known, bundle)
    observing.note(answer, bundle)
    return answer


def _recommend(
    request: RecommendationRequest, caller: str, known: Information, bundle: LoadedBundle
) -> Recommendations:
    model = engine.model_in_use(bundle, request.subject_ref)
    size = engine.segment_size(model, bundle, engine.segment_key(known.region, known.age_band))
    question = _question(request, model=model, segment_size=size)
    decision = evaluate.decide(question, caller=caller, known=known)
    if not decision.permitted:
        return _popular(request.count, decision, model)
    if any(o.type not in _FULFILLED for o in decision.rendered.verdict.obligations):
        # A permit with a condition that is not understood is no permit (AuthZEN obligations profile).
        return _popular(request.count, decision, model, fallback="obligation_not_supported")
    if model is None:
        return _popular(request.count, decision, None, fallback="no_model")
    return _personal(request, decision, known, model, bundle)


def recommend_unrouted(count: int, decision: Decision) -> Recommendations:
    """Recommend the general list, where the person's own cell cannot be asked: nothing is looked up."""
    return _popular(count, decision, None, fallback=decision.reasons[0])


def _question(request: RecommendationRequest, *, model: str | None = None, segment_size: int | None = None) -> Question:
    return Question(
        subject_ref=request.subject_ref,
        action="personalize",
        purpose=request.purpose,
        requested_level="none" if request.non_profiled else request.requested_level,
        data_categories=request.data_categories,
        model=model,
        region=request.region,
        processing_region=request.processing_region,
        gpc=request.signals.gpc,
        gpp_opt_out=request.signals.gpp_opt_out,
        tcf_present=request.signals.tcf_present,
        tcf_purposes=request.signals.tcf_purposes,
        segment_size=segment_size,
    )


def _personal(
    request: RecommendationRequest, decision: Decision, known: Information, model: str, bundle: LoadedBundle
) -> Recommendations:
    level, excluded = decision.level, _excluded(decision)
    # What a person looks at in this session is views, whether it is stored or not.
    session = () if Event.CATEGORY[Event.Kind.VIEW] in excluded else request.session
    history = _history(request, level, excluded)
    arguments = {
        "level": level,
        "history": history.touches,
        "session": [Interaction(item) for item in session],
        "segment": engine.segment_key(known.region, known.age_band),
        "count": min(request.count + _SPARE, _MAX_COUNT),
        "exclude": opt_outs.left_out(),
    }
    began = time.perf_counter_ns()
    try:
        served = engine.recommend(model, bundle, **arguments)
    except engine.EngineFailed as failed:
        return _popular(request.count, decision, model, fallback=failed.code)
    took_us = (time.perf_counter_ns() - began) // 1_000
    observing.compare(served, bundle, purpose=request.purpose, arguments=arguments)
    if served.level_used == "none":
        return _popular(request.count, decision, model, fallback=served.fallback)
    tally.scored(model, served.recommendations)
    explained = _explained(served, history.liked)
    items = [item for item in explained if item["item"] not in history.unwanted][: request.count]
    level_used, sure = str(served.level_used), outputs.confidence(served.recommendations[: request.count])
    output = outputs.made(
        request.subject_ref, request.purpose, decision, model, bundle, level=level_used, items=items, confidence=sure
    )
    fallback = served.fallback and str(served.fallback)
    return Recommendations(level_used, items, decision, model, fallback, took_us=took_us, output=output)


def _reviewed(request: RecommendationRequest, answer: Recommendations) -> Recommendations:
    """Return the answer as far as a review by a person lets it be shown; the general list where none is over."""
    if answer.output is None:
        return answer
    try:
        shown = serving.resolve(answer.output, outputs.marks(answer.decision))
    except DatabaseError:
        logger.exception("Whether an output waits for a review cannot be read")
        return _popular(request.count, answer.decision, answer.model, fallback="review_unavailable")
    if shown.show is Show.MADE:
        return answer
    if shown.content is None:
        return _popular(request.count, answer.decision, answer.model, fallback=shown.show.value)
    items = outputs.still_wanted(shown.content, request.subject_ref, request.purpose)[: request.count]
    return replace(answer, level=shown.content["level"], items=items, fallback=None)


def _excluded(decision: Decision) -> frozenset[str]:
    """Return data categories that an obligation keeps from the engine."""
    lists = (
        o.properties.get("categories", [])
        for o in decision.rendered.verdict.obligations
        if o.type == "exclude_categories"
    )
    return frozenset().union(*lists)


def _history(request: RecommendationRequest, level: str, excluded: frozenset[str]) -> "History":
    """Return what the level may use, and no row more: nothing below ``behavioral``, else the window or everything."""
    if LEVELS[level] < LEVELS["behavioral"]:
        return History()
    kinds = [kind for kind, category in Event.CATEGORY.items() if category not in excluded]
    rows = Event.objects.filter(subject_ref=request.subject_ref, purpose=request.purpose, kind__in=kinds)
    window = _MAX_HISTORY if level == "individual" else BEHAVIORAL_WINDOW
    newest = rows.order_by("-occurred_at").values_list("item_id", "weight", "occurred_at", "kind")[:window]
    return History.of(newest)


@dataclass(frozen=True)
class History:
    """What a level may use: touches of items, which of them say that the person likes it, and what got a no."""

    touches: tuple[Interaction, ...] = ()
    liked: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()

    @classmethod
    def of(cls, newest_first: Iterable[tuple[str, float, datetime, str]]) -> "History":
        """Sort events; what came before a no about the same item counts no longer, unless the no was taken back."""
        dismissed_from = timezone.now() - events.DISMISSED_FOR
        touches: list[Interaction] = []
        liked, unwanted, taken_back = set(), set(), set()
        for item, weight, moment, kind in newest_first:
            if kind == Event.Kind.UNDO:
                taken_back.add(item)
            elif kind in (Event.Kind.NOT_RELEVANT, Event.Kind.DISMISS):
                if item not in taken_back and (kind != Event.Kind.DISMISS or moment > dismissed_from):
                    unwanted.add(item)
            elif weight == 0:
                unwanted.add(item)
            elif item not in unwanted:
                touches.append(Interaction(item, weight, moment.timestamp()))
                # A look says nothing about liking, nor does a rating in the middle.
                if kind in (Event.Kind.LIKE, Event.Kind.PURCHASE) or weight > events.MIDDLE:
                    liked.add(item)
        return cls(tuple(touches), frozenset(liked), frozenset(unwanted))


def _explained(served: Served, liked: frozenset[str]) -> list[dict[str, Any]]:
    """Return the recommendations in words; an item taken out of the catalogue since the training is left out."""
    ids = {reason.item for r in served.recommendations for reason in (*r.because, *r.despite)}
    ids |= {r.item.id for r in served.recommendations}
    known = {item.slug: item for item in Item.objects.filter(pk__in=ids)}
    titles = {slug: item.title for slug, item in known.items()}
    gone = {slug for slug in ids if slug not in known or not known[slug].is_active}
    return [_item(r, titles, liked) for r in served.recommendations if r.item.id not in gone]


def _item(recommendation: Recommendation, titles: dict[str, str], liked: frozenset[str]) -> dict[str, Any]:
    because, despite = (
        [{"item": b.item, "title": titles.get(b.item, b.item), "share": round(b.share, 4)} for b in some]
        for some in (recommendation.because, recommendation.despite)
    )
    return {
        "item": recommendation.item.id,
        "title": recommendation.item.title,
        "basis": str(recommendation.basis),
        "because": because,
        "despite": despite,
        "why": _why(recommendation, [str(b["title"]) for b in because], liked),
    }


def _why(recommendation: Recommendation, titles: list[str], liked: frozenset[str]) -> str:
    if titles:
        things = titles[0] if len(titles) == 1 else _("%(one)s and %(other)s") % {"one": titles[0], "other": titles[1]}
        if recommendation.basis == "session" or any(b.item not in liked for b in recommendation.because[:2]):
            return _("Because you looked at %(things)s") % {"things": things}
        return _("Because you liked %(things)s") % {"things": things}
    if recommendation.basis == "segment":
        return _("Popular in your region and age group")
    return _("Popular with other people")


def _popular(count: int, decision: Decision, model: str | None, *, fallback: str | None = None) -> Recommendations:
    """Return the general list; it needs neither the engine nor anything about the person."""
    offered = PopularItem.objects.filter(~opt_outs.is_out("item__creator"), item__is_active=True)
    rows = offered.select_related("item")[:count]
    items = [
        {
            "item": row.item_id,
            "title": row.item.title,
            "basis": "popular",
            "because": [],
            "despite": [],
            "why": _("Popular with other people"),
        }
        for row in rows
    ]
    return Recommendations("none", items, decision, model, fallback)
