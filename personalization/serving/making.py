"""Making of lists: a person's own by the engine, as far as a decision permits it, and the general one."""

import time
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from django.utils.translation import get_language

from common.levels import LEVELS
from common.waiting import no_wait
from model_registry.reviews.outputs.holding import Made
from personalization import engine
from personalization.models import Event
from personalization.monitors import tally
from personalization.monitors.measures import bins
from personalization.ranking import shaping
from personalization.recommender.answers import Personal, Served
from personalization.recommender.interactions import Interaction, Touches
from personalization.recommender.levels import BEHAVIORAL_WINDOW
from personalization.review import outputs
from personalization.rollouts import observing
from personalization.rules import hidden as hiding
from personalization.rules.hidden import PROMOTED, Hidden
from personalization.serving import features, items, lists, reading, wording
from personalization.serving.items import Items, Offer
from personalization.serving.known import Known
from personalization.serving.lists import Grounds, Listed
from personalization.serving.reading import Entry, History
from personalization.serving.requests import RecommendationRequest, Recommendations, Written
from personalization.serving.wording import Worded
from personalization.showings import caps
from personalization.showings.caps import Caps
from policies.bundles.loading import LoadedBundle
from policies.decisions.evaluate import Decision

_MAX_HISTORY = 5_000
_NOTHING = Written.of([])
_AT_ONCE = 20
"""Items of a list that the loop of a server makes itself. What takes longer than a few decisions is for a thread."""


@dataclass(frozen=True)
class Permit:
    """Request with the decision that permits it, and what its list is made of.

    ``group``: the person's by their own data.
    """

    request: RecommendationRequest
    decision: Decision
    about: Known
    model: str
    bundle: LoadedBundle
    group: str | None

    @property
    def level(self) -> str:
        return self.decision.level

    @property
    def uses_events(self) -> bool:
        return LEVELS[self.level] >= LEVELS["behavioral"] and not self.request.is_visitor

    @property
    def segment(self) -> str:
        """Return the person's segment by region and age band."""
        person = self.about.information
        return engine.segment_key(person.region, person.age_band)

    @cached_property
    def hidden(self) -> Hidden:
        """Return what is not shown to the person."""
        return hiding.hidden(self.decision, self.request.seen_by)

    @cached_property
    def caps(self) -> Caps:
        return caps.of(self.decision, self.request.subject_ref, self.request.purpose)

    @cached_property
    def excluded(self) -> frozenset[str]:
        """Return data categories that an obligation keeps from the engine."""
        duties = self.decision.rendered.verdict.obligations
        found = (duty.properties.get("categories", []) for duty in duties if duty.type == "exclude_categories")
        return frozenset().union(*found)

    @cached_property
    def session(self) -> tuple[str, ...]:
        """Return what the person looks at in this session: that is views, whether it is stored or not."""
        return () if Event.CATEGORY[Event.Kind.VIEW] in self.excluded else self.request.session

    def general(self, fallback: str | None) -> Recommendations:
        """Return the general list in the place of the person's own."""
        return general(self.request, self.decision, self.model, items.at(self.about.catalogue), fallback=fallback)


def personal(permit: Permit) -> Recommendations:
    """Return the list that a decision permits, from those that are held or made anew."""
    grounds = _grounds(permit)
    held = None if grounds is None else lists.LISTS.get(grounds)
    if held is None:
        return _made(permit, grounds)
    tally.scored(permit.model, held.scores)
    return _answer(permit, held)


def _grounds(permit: Permit) -> Grounds | None:
    """Return what makes a list the same as another; None where more than that counts.

    A caller's own items are many, caps count each showing, while a canary is watched the versions are timed and
    compared, and what a rule of ranking has tried out is drawn for the person and the day.
    """
    request, about, bundle = permit.request, permit.about, permit.bundle
    is_plain = request.candidates is None and not bundle.canaries and not bundle.ranking(request.purpose)
    # What a cap lets be shown changes with each showing.
    if about.catalogue is None or not is_plain or permit.hidden is None or permit.caps.caps:
        return None
    if permit.uses_events and about.features.recent is None:
        return None
    return Grounds(
        bundle=bundle.revision,
        model=permit.model,
        catalogue=about.catalogue,
        level=permit.level,
        events=lists.digest(about.features) if permit.uses_events else b"",
        excluded=permit.excluded,
        hidden=permit.hidden,
        session=permit.session,
        segment=permit.segment,
        group=permit.group,
        number=request.count,
        language=get_language(),
    )


def _made(permit: Permit, grounds: Grounds | None) -> Recommendations:
    """Have the engine make a list; it is held under its grounds."""
    if permit.hidden is None:
        return permit.general("information_unavailable")
    chosen, model, bundle = permit.request.candidates, permit.model, permit.bundle
    if chosen is not None or permit.request.count > _AT_ONCE or permit.about.features.is_long:
        no_wait.refuse()
    offer = Offer(items.at(permit.about.catalogue), permit.hidden)
    try:
        among = offer.of(chosen) if chosen else {}
        history = _history(permit)
        arguments = _arguments(permit, permit.hidden, history, among)
        began = time.perf_counter_ns()
        served = engine.recommend(model, bundle, **arguments, offered=offer.of if chosen is None else None)
        took_us = (time.perf_counter_ns() - began) // 1_000
        observing.compare(served, bundle, purpose=permit.request.purpose, arguments=arguments)
        if served.level_used == "none":
            return permit.general(served.fallback)
        listed, entries = _worded(permit, served, offer, history.liked), offer.named(among)
    except engine.EngineFailed as failed:
        return permit.general(failed.code)
    except reading.ReadingFailed:
        return permit.general("information_unavailable")
    scores = tuple(bins.of_list(served.recommendations))
    tally.scored(model, scores)
    left_out = None
    if chosen is not None:
        wanted = [item for item in chosen if item in among and item not in history.unwanted]
        listed = _completed(listed, wanted, entries, permit.request.count)
        left_out = len(chosen) - len(wanted)
    made = Listed(
        str(served.level_used),
        served.fallback and str(served.fallback),
        Written.worded(listed),
        scores,
        outputs.confidence(served.recommendations),
    )
    # A no counts for a time, and events that were read for themselves are not those of the grounds.
    if grounds is not None and (isinstance(history.touches, Touches) or not grounds.events):
        lists.LISTS.remember(grounds, made)
    return _answer(permit, made, took_us=took_us, left_out=left_out)


def _worded(permit: Permit, served: Served, offer: Offer, liked: Container[str]) -> list[Worded]:
    """Return the items of a list with all that is said of them. Raises ReadingFailed and EngineFailed."""
    listed = served.recommendations
    if isinstance(listed, Personal):
        return wording.personal(listed, offer.table(listed), liked)
    kinds = engine.kinds_of(permit.model, permit.bundle, served.segment) if served.segment else ()
    entries = offer.named(wording.items_of(listed))
    return wording.explained(listed, entries, liked, wording.group(served.segment, kinds))


def _history(permit: Permit) -> History:
    """Return what the level may use, and no event more: nothing below ``behavioral``, else the window or everything.

    Without what a cap lets no longer be shown. Raises EngineFailed and ReadingFailed.
    """
    history = _events(permit) if permit.uses_events else History()
    full = permit.caps.full()
    return replace(history, unwanted=history.unwanted | full) if full else history


def _events(permit: Permit) -> History:
    request, row = permit.request, permit.about.features
    kinds = [kind.value for kind, category in Event.CATEGORY.items() if category not in permit.excluded]
    window = _MAX_HISTORY if permit.level == "individual" else BEHAVIORAL_WINDOW
    # A caller's own items may be such as the model does not know.
    of_all = request.candidates is not None
    load = partial(engine.loaded, permit.model, permit.bundle)
    known = features.history(row, kinds, window, load, now=time.time(), of_all_items=of_all)
    return known or reading.history(request.subject_ref, request.purpose, kinds, window)


def _arguments(permit: Permit, hidden: frozenset[str], history: History, among: Mapping[str, str]) -> dict[str, Any]:
    """Return what the model is asked; of a caller's own items all that are on offer, what the person has seen too."""
    request, decision = permit.request, permit.decision
    may_try = not (permit.about.is_held or outputs.marks(decision))
    return {
        "level": permit.level,
        "history": history.touches,
        "session": [Interaction(item) for item in permit.session],
        "segment": permit.segment,
        "group": permit.group,
        "count": request.count,
        "exclude": history.unwanted,
        "exclude_categories": hidden,
        "shape": shaping.shape_of(permit.bundle, request.purpose, request.subject_ref, may_try=may_try),
        **({} if request.candidates is None else {"among": frozenset(among), "exclude_seen": False}),
    }


def _completed(listed: list[Worded], wanted: list[str], entries: Mapping[str, Entry], count: int) -> list[Worded]:
    """Return a list with the candidates that the model says nothing about at its end, in the caller's order."""
    ranked = {each.item for each in listed}
    rest = [
        (item, entries[item].title, "promoted" if entries[item].is_promoted else "popular")
        for item in wanted
        if item not in ranked and item in entries
    ]
    return [*listed, *map(Worded.of, wording.popular(rest[: count - len(listed)]))]


def _answer(
    permit: Permit, made: Listed, *, took_us: int | None = None, left_out: int | None = None
) -> Recommendations:
    request = permit.request

    def output() -> Made:
        return outputs.made(
            request.subject_ref, request.purpose, permit.decision, permit.model, permit.bundle,
            level=made.level, items=made.written.items(), confidence=made.confidence, among=request.candidates,
        )  # fmt: skip

    return Recommendations(
        made.level,
        made.written,
        permit.decision,
        permit.model,
        made.fallback,
        took_us=took_us,
        output=output,
        left_out=left_out,
        is_held=permit.about.is_held,
    )


def general(
    request: RecommendationRequest,
    decision: Decision,
    model: str | None,
    catalogue: Items,
    *,
    fallback: str | None = None,
) -> Recommendations:
    """Return the general list; it needs neither the engine nor anything about the person. Empty without a database."""
    hidden, chosen, left_out = hiding.hidden(decision, request.seen_by), request.candidates, None
    if hidden is not None and caps.of(decision, request.subject_ref, request.purpose).hide_promotions:
        hidden |= {PROMOTED}
    try:
        if chosen is None:
            written = catalogue.written(request.count, hidden)
        else:
            found, offered = reading.general_among(chosen, request.count, hidden)
            written, left_out = Written.of(wording.popular(found)), len(chosen) - offered
    except reading.ReadingFailed:
        written, fallback = _NOTHING, fallback or "information_unavailable"
    return Recommendations("none", written, decision, model, fallback, left_out=left_out)
