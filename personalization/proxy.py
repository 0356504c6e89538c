"""PEP: recommendations only as far as the decision permits.

decide -> serve at the permitted level, or what a person approved -> say level, reasons and why for every item. After
any failure, the person gets the list everybody gets (level ``none``), and the answer says so.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.utils.translation import get_language

from common import tracing
from common.levels import LEVELS
from common.tracing import Attributes
from consent.signals import NO_SIGNALS, Signals
from model_registry.reviews.outputs import serving
from model_registry.reviews.outputs.holding import Made
from model_registry.reviews.outputs.serving import Show
from personalization import engine
from personalization.models import Event
from personalization.monitors import tally
from personalization.ranking import shaping
from personalization.recommender.interactions import Interaction, Touches
from personalization.recommender.levels import BEHAVIORAL_WINDOW
from personalization.recommender.model import Model
from personalization.review import outputs
from personalization.rollouts import observing
from personalization.rules import hidden as hiding
from personalization.rules.hidden import PROMOTED, Hidden, Viewer
from personalization.segments import membership
from personalization.serving import features, items, known, lists, reading, wording
from personalization.serving.features import Features
from personalization.serving.items import Items, Offer
from personalization.serving.known import Known
from personalization.serving.lists import Grounds, Listed
from personalization.serving.reading import History
from personalization.showings import caps
from personalization.showings.caps import Caps
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.decisions import evaluate
from policies.decisions.evaluate import Decision
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
    }
)
# A review would keep an output, and of a visitor nothing is kept.
_FULFILLED_FOR_VISITORS = _FULFILLED - {"human_review", "cap_showings"}
_MAX_HISTORY = 5_000


@dataclass(frozen=True, kw_only=True)
class RecommendationRequest:
    """A service's request for one person."""

    subject_ref: UUID
    is_visitor: bool = False  # without a record; the subject is NO_SUBJECT then
    purpose: str = "recommendations"
    requested_level: str = "individual"
    count: int = 10
    session: tuple[str, ...] = ()
    signals: Signals = NO_SIGNALS
    non_profiled: bool = False
    region: str | None = None
    age_band: str | None = None
    processing_region: str
    data_categories: tuple[str, ...] = ("purchases", "ratings", "views")
    candidates: tuple[str, ...] | None = None  # the only items to rank, each once
    seen_by: Viewer | None = None  # who it is made for, once that is known

    @property
    def asked_level(self) -> str:
        return "none" if self.non_profiled else self.requested_level


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
    output: Callable[[], Made] | None = None
    left_out: int | None = None  # of the candidates, where the caller gave them
    is_held: bool = False  # outputs about the person are kept for a review

    def document(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "permitted_level": self.decision.level,
            "decision_id": self.decision.id,
            "reasons": wording.decided(self.decision),
            "model": self.model,
            "fallback": self.fallback,
            "items": self.items,
            **({} if self.left_out is None else {"left_out": self.left_out}),
            "profiled": self.level != "none",
            "bundle_revision": self.decision.bundle_revision,
            "subject_revision": self.decision.subject_revision,
        }


def _span_attributes(answer: Recommendations) -> Attributes:
    return {"assent.level": answer.level, "assent.model": answer.model, "assent.fallback": answer.fallback}


@tracing.traced("personalization", span_attributes=_span_attributes)
def recommend(request: RecommendationRequest, *, caller: str, about: Known | None = None) -> Recommendations:
    """Serve one person. ``about``: where it was read with the caller. Raises SpoolFull only; failures are ``none``."""
    started = time.perf_counter()
    about = about or known.read_if_possible(request.subject_ref, request.purpose, request.asked_level)
    request, catalogue = _made_for(request, about), items.at(about.catalogue)
    answer = _capped(request, _reviewed(request, _make(request, caller, about), catalogue), catalogue)
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
    about = known.read_if_possible(request.subject_ref, request.purpose, request.asked_level)
    return _make(_made_for(request, about), caller, about)


def _made_for(request: RecommendationRequest, about: Known) -> RecommendationRequest:
    """Return the request with whom it is made for."""
    seen_by = hiding.viewer(
        about.information, region=request.region, age_band=request.age_band, purpose=request.purpose
    )
    return replace(request, seen_by=seen_by)


def _make(request: RecommendationRequest, caller: str, about: Known) -> Recommendations:
    bundle = loading.usable(about.information.bundle_revision)
    if bundle is None:
        decision = evaluate.unavailable(_question(request), caller=caller)
        return _popular(request, decision, None, items.at(about.catalogue), fallback="information_unavailable")
    answer = _recommend(request, caller, about, bundle)
    observing.note(answer, bundle)
    return answer


def _recommend(request: RecommendationRequest, caller: str, about: Known, bundle: LoadedBundle) -> Recommendations:
    person, catalogue = about.information, items.at(about.catalogue)
    model = engine.model_in_use(bundle, None if request.is_visitor else request.subject_ref)
    group = membership.group_of(request.subject_ref, request.purpose, model, bundle)
    size = engine.segment_size(model, bundle, engine.segment_key(person.region, person.age_band))
    if group is not None:
        size = engine.segment_size(model, bundle, group) or size
    counted = () if request.is_visitor else caps.asked(request.purpose, bundle)
    question = _question(request, model=model, segment_size=size, counted=counted)
    decision = evaluate.decide(question, caller=caller, known=person)
    if not decision.permitted:
        return _popular(request, decision, model, catalogue)
    fulfilled = _FULFILLED_FOR_VISITORS if request.is_visitor else _FULFILLED
    if any(o.type not in fulfilled for o in decision.rendered.verdict.obligations):
        # A permit with a condition that is not understood is no permit (AuthZEN obligations profile).
        return _popular(request, decision, model, catalogue, fallback="obligation_not_supported")
    if model is None:
        return _popular(request, decision, None, catalogue, fallback="no_model")
    return _personal(request, decision, about, model, bundle, group)


def recommend_unrouted(count: int, decision: Decision, candidates: tuple[str, ...] | None = None) -> Recommendations:
    """Recommend the general list, where the person's own cell cannot be asked: nothing is looked up."""
    wanted = RecommendationRequest(subject_ref=NO_SUBJECT, count=count, candidates=candidates, processing_region="")
    return _popular(wanted, decision, None, items.at(None), fallback=decision.reasons[0])


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


def _personal(
    request: RecommendationRequest,
    decision: Decision,
    about: Known,
    model: str,
    bundle: LoadedBundle,
    group: str | None,
) -> Recommendations:
    grounds = _grounds(request, decision, about, model, bundle, group)
    made = None if grounds is None else lists.LISTS.get(grounds)
    if made is None:
        return _made(request, decision, about, model, bundle, group, grounds)
    tally.scored(model, made.served.recommendations)
    return _answer(request, decision, about, model, bundle, made)


def _grounds(
    request: RecommendationRequest,
    decision: Decision,
    about: Known,
    model: str,
    bundle: LoadedBundle,
    group: str | None,
) -> Grounds | None:
    """Return what makes a list the same as another; None where more than that counts.

    A caller's own items are many, caps count each showing, while a canary is watched the versions are timed and
    compared, and what a rule of ranking has tried out is drawn for the person and the day.
    """
    is_plain = (
        request.candidates is None and not bundle.canaries and not bundle.data.get("ranking", {}).get(request.purpose)
    )
    hidden = _hidden(request, decision)
    # What a cap lets be shown changes with each showing.
    if about.catalogue is None or not is_plain or hidden is None or _caps(request, decision).caps:
        return None
    level = decision.level
    uses_events = LEVELS[level] >= LEVELS["behavioral"] and not request.is_visitor
    if uses_events and about.features.recent is None:
        return None
    excluded, person = _excluded(decision), about.information
    return Grounds(
        bundle=bundle.revision,
        model=model,
        catalogue=about.catalogue,
        level=level,
        events=lists.digest(about.features) if uses_events else b"",
        excluded=excluded,
        hidden=hidden,
        session=_session(request, excluded),
        segment=engine.segment_key(person.region, person.age_band),
        group=group,
        number=request.count,
        language=get_language(),
    )


def _session(request: RecommendationRequest, excluded: frozenset[str]) -> tuple[str, ...]:
    """Return what a person looks at in this session: that is views, whether it is stored or not."""
    return () if Event.CATEGORY[Event.Kind.VIEW] in excluded else request.session


def _made(
    request: RecommendationRequest,
    decision: Decision,
    about: Known,
    model: str,
    bundle: LoadedBundle,
    group: str | None,
    grounds: Grounds | None,
) -> Recommendations:
    """Have the engine make a list; it is held under its grounds."""
    level, excluded, hidden = decision.level, _excluded(decision), _hidden(request, decision)
    person, catalogue = about.information, items.at(about.catalogue)
    if hidden is None:
        return _popular(request, decision, model, catalogue, fallback="information_unavailable")
    offer = Offer(catalogue, hidden)
    try:
        among = offer.of(request.candidates or ())
        history = _history(request, level, excluded, about.features, partial(engine.loaded, model, bundle))
        history = replace(history, unwanted=history.unwanted | _caps(request, decision).full())
        arguments = {
            "level": level,
            "history": history.touches,
            "session": [Interaction(item) for item in _session(request, excluded)],
            "segment": engine.segment_key(person.region, person.age_band),
            "group": group,
            "count": request.count,
            "exclude": history.unwanted,
            "exclude_categories": hidden,
            "shape": shaping.shape_of(
                bundle, request.purpose, request.subject_ref, may_try=not (about.is_held or outputs.marks(decision))
            ),
            **({} if request.candidates is None else _among(among)),
        }
        began = time.perf_counter_ns()
        served = engine.recommend(model, bundle, **arguments, offered=offer.of if request.candidates is None else None)
        took_us = (time.perf_counter_ns() - began) // 1_000
        observing.compare(served, bundle, purpose=request.purpose, arguments=arguments)
        if served.level_used == "none":
            return _popular(request, decision, model, catalogue, fallback=served.fallback)
        titles = offer.titles(wording.items_of(served.recommendations))
        promoted = offer.promoted({*titles, *among})
    except engine.EngineFailed as failed:
        return _popular(request, decision, model, catalogue, fallback=failed.code)
    except reading.ReadingFailed:
        return _popular(request, decision, model, catalogue, fallback="information_unavailable")
    tally.scored(model, served.recommendations)
    kinds = engine.kinds_of(model, bundle, served.segment) if served.segment else ()
    popular_with = wording.group(served.segment, kinds)
    listed = wording.explained(served.recommendations, titles, history.liked, popular_with, promoted)
    left_out = None
    if request.candidates is not None:
        wanted = [item for item in request.candidates if item in among and item not in history.unwanted]
        rest = [(item, among[item], "promoted" if item in promoted else "popular") for item in wanted]
        listed = _completed(listed, rest, request.count)
        left_out = len(request.candidates) - len(wanted)
    made = Listed(served, listed, outputs.confidence(served.recommendations))
    # A no counts for a time, and events that were read for themselves are not those of the grounds.
    if grounds is not None and (isinstance(history.touches, Touches) or not grounds.events):
        lists.LISTS.remember(grounds, made)
    return replace(_answer(request, decision, about, model, bundle, made), took_us=took_us, left_out=left_out)


def _answer(
    request: RecommendationRequest, decision: Decision, about: Known, model: str, bundle: LoadedBundle, made: Listed
) -> Recommendations:
    level = str(made.served.level_used)

    def output() -> Made:
        return outputs.made(
            request.subject_ref, request.purpose, decision, model, bundle,
            level=level, items=made.items, confidence=made.confidence, among=request.candidates,
        )  # fmt: skip

    fallback = made.served.fallback and str(made.served.fallback)
    return Recommendations(level, made.items, decision, model, fallback, output=output, is_held=about.is_held)


def _among(offered: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments for a caller's own items: all that are on offer, what the person has seen too."""
    return {"among": frozenset(offered), "exclude_seen": False}


def _completed(listed: list[Any], wanted: list[tuple[str, str, str]], count: int) -> list[Any]:
    """Return a list with the candidates that the model says nothing about at its end, in the caller's order."""
    ranked = {item["item"] for item in listed}
    rest = [each for each in wanted if each[0] not in ranked]
    return [*listed, *wording.popular(rest[: count - len(listed)])]


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
            return _popular(request, answer.decision, answer.model, catalogue, fallback=shown.show.value)
        hidden = _hidden(request, answer.decision)
        listed = outputs.still_wanted(shown.content, request.subject_ref, request.purpose, hidden)[: request.count]
    except (DatabaseError, reading.ReadingFailed):
        logger.exception("Whether an output waits for a review cannot be read")
        return _popular(request, answer.decision, answer.model, catalogue, fallback="review_unavailable")
    return replace(answer, level=shown.content["level"], items=listed, fallback=None)


def _capped(request: RecommendationRequest, answer: Recommendations, catalogue: Items) -> Recommendations:
    """Return the answer without what a cap lets no longer be shown; what is left is counted as shown.

    A general list is not counted: it has no promotions where they are under a cap.
    """
    limits = _caps(request, answer.decision)
    if answer.level == "none" or not limits.caps:
        return answer
    try:
        refused = limits.count([item["item"] for item in answer.items])
    except reading.ReadingFailed:
        return _popular(request, answer.decision, answer.model, catalogue, fallback="information_unavailable")
    return replace(answer, items=[item for item in answer.items if item["item"] not in refused])


def _caps(request: RecommendationRequest, decision: Decision) -> Caps:
    return caps.of(decision, request.subject_ref, request.purpose)


def _excluded(decision: Decision) -> frozenset[str]:
    """Return data categories that an obligation keeps from the engine."""
    return _categories(decision, "exclude_categories")


def _hidden(request: RecommendationRequest, decision: Decision) -> Hidden:
    """Return what is not shown to the person of a request."""
    return hiding.hidden(decision, request.seen_by)


def _categories(decision: Decision, duty: str) -> frozenset[str]:
    lists = (o.properties.get("categories", []) for o in decision.rendered.verdict.obligations if o.type == duty)
    return frozenset().union(*lists)


def _history(
    request: RecommendationRequest, level: str, excluded: frozenset[str], row: Features, load: Callable[[], Model]
) -> History:
    """Return what the level may use, and no event more: nothing below ``behavioral``, else the window or everything."""
    if LEVELS[level] < LEVELS["behavioral"] or request.is_visitor:
        return History()
    kinds = [kind.value for kind, category in Event.CATEGORY.items() if category not in excluded]
    window = _MAX_HISTORY if level == "individual" else BEHAVIORAL_WINDOW
    # A caller's own items may be such as the model does not know.
    of_all = request.candidates is not None
    known = features.history(row, kinds, window, load, now=time.time(), of_all_items=of_all)
    return known or reading.history(request.subject_ref, request.purpose, kinds, window)


def _popular(
    request: RecommendationRequest,
    decision: Decision,
    model: str | None,
    catalogue: Items,
    *,
    fallback: str | None = None,
) -> Recommendations:
    """Return the general list; it needs neither the engine nor anything about the person. Empty without a database."""
    hidden, chosen, left_out = _hidden(request, decision), request.candidates, None
    if hidden is not None and _caps(request, decision).hide_promotions:
        hidden |= {PROMOTED}
    found: Sequence[tuple[str, ...]]
    try:
        if chosen is None:
            found = catalogue.general(request.count, hidden)
        else:
            found, offered = reading.general_among(chosen, request.count, hidden)
            left_out = len(chosen) - offered
    except reading.ReadingFailed:
        found, fallback = [], fallback or "information_unavailable"
    return Recommendations("none", wording.popular(found), decision, model, fallback, left_out=left_out)
