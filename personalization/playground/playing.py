"""Play a made-up person at each level: the verdict of the rules in force, the list, and what rules took out of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from common.levels import LEVELS
from personalization import engine
from personalization.models import Item
from personalization.playground.people import MadeUp
from personalization.ranking import shaping
from personalization.recommender.groups.forming import kind_of
from personalization.rules import hidden as hiding
from personalization.rules import masked as masking
from personalization.rules.hidden import PROMOTED, REMOVED, Hidden
from personalization.segments import membership
from personalization.serving import wording
from personalization.serving.items import Items, Offer
from personalization.serving.reading import History
from personalization.serving.requests import Written
from personalization.showings import caps
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.decisions import information, trial
from policies.decisions.information import Information
from policies.decisions.questions import Question
from policies.decisions.rendering import RenderedVerdict

COUNT = 10
_HIGHEST = max(LEVELS, key=lambda level: LEVELS[level])
_OF_VISITORS = "contextual"
_EXCLUDING, _REVIEW, _CAPPING = "exclude_categories", "human_review", "cap_showings"
_CATALOGUE = Items(None)  # as it is now: nothing is held for the requests of people


class NotPlayable(Exception):
    """No revision is in force, so that there is nothing to play by."""


@dataclass(frozen=True)
class HiddenItem:
    """Item that a level would have shown, and the rules that hide it by their short names.

    Without any it is hidden by what it says of itself: an age, a region or a flag of the law.
    """

    title: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """List of a level: what was used for it in the end, why less than the level allows, how long the engine took."""

    items: Sequence[Mapping[str, Any]]
    used: str
    fallback: str | None = None
    took_us: int | None = None


@dataclass(frozen=True)
class Column:
    """What a level would show a made-up person. ``permitted``: the level that a request for this one is permitted."""

    level: str
    rendered: RenderedVerdict
    listed: Listed
    hidden: Sequence[HiddenItem]

    @property
    def permitted(self) -> str:
        return _permitted(self.rendered)

    @property
    def is_permitted(self) -> bool:
        return self.permitted == self.level

    @property
    def is_reviewed(self) -> bool:
        """Return whether a person has to look at the list before it is shown."""
        return bool(_duties(self.rendered, _REVIEW))


@dataclass(frozen=True)
class Played:
    """What the rules permit a made-up person, and each level's list. ``asked``: the level that a service asks for."""

    bundle: LoadedBundle
    model: str | None
    asked: str
    columns: Sequence[Column]

    @property
    def rendered(self) -> RenderedVerdict:
        return next(column.rendered for column in self.columns if column.level == self.asked)

    @property
    def permitted(self) -> str:
        return _permitted(self.rendered)


def play(person: MadeUp) -> Played:
    """Play a made-up person over the revision and the model in use. Nothing is kept.

    Raises NotPlayable, InformationUnavailable and ReadingFailed.
    """
    known = person.information()
    bundle = loading.usable(known.bundle_revision)
    if bundle is None:
        raise NotPlayable
    stage = _Stage(person, known, bundle, engine.model_in_use(bundle))
    asked = _OF_VISITORS if person.is_visitor else _HIGHEST
    return Played(bundle, stage.model, asked, [stage.column(level) for level in LEVELS])


def groups() -> list[tuple[str, str]]:
    """Return the groups by people's own data that the model in use has lists of: their keys, and what is said of them.

    Raises InformationUnavailable.
    """
    bundle = loading.usable(information.read(information.NO_SUBJECT).bundle_revision)
    model = engine.model_in_use(bundle) if bundle else None
    if bundle is None or model is None:
        return []
    try:
        keys = [key for key in engine.load(model, bundle).segments if kind_of(key)]
        return [(key, wording.group(key, engine.kinds_of(model, bundle, key))) for key in sorted(keys)]
    except engine.EngineFailed:
        return []


def _permitted(rendered: RenderedVerdict) -> str:
    verdict = rendered.verdict
    return str(verdict.level or "none") if verdict.decision else "none"


def _duties(rendered: RenderedVerdict, kind: str) -> list[Mapping[str, Any]]:
    return [duty.properties for duty in rendered.verdict.obligations if duty.type == kind]


def _categories(rendered: RenderedVerdict, kind: str) -> frozenset[str]:
    return frozenset(category for duty in _duties(rendered, kind) for category in duty.get("categories", ()))


@dataclass(frozen=True)
class _Stage:
    """A made-up person before the revision and the model in use."""

    person: MadeUp
    known: Information
    bundle: LoadedBundle
    model: str | None

    @property
    def segment(self) -> str:
        return engine.segment_key(self.known.region, self.known.age_band)

    @property
    def group(self) -> str | None:
        """Return the group whose list the rule of ranking lets the person have."""
        key = self.person.group
        is_ruled = bool(key) and kind_of(key) is membership.kind_for(self.person.purpose, self.bundle)
        return key if is_ruled else None

    def column(self, level: str) -> Column:
        rendered = trial.judge(self._question(level), self.known, self.bundle)
        hidden = hiding.by_verdict(rendered, self.person.viewer(self.known))
        excluded = _categories(rendered, _EXCLUDING)
        listed = self._list(level, excluded, hidden)
        if hidden is not None and listed.used == "none" and _caps_promotions(rendered):
            hidden |= {PROMOTED}  # what is shown of a general list is not counted
            listed = replace(listed, items=_general(hidden, None).items)
        listed = replace(listed, items=masking.without(listed.items, masking.by_verdict(rendered)))
        would_be = [str(each["item"]) for each in self._list(level, excluded, frozenset({REMOVED})).items]
        return Column(level, rendered, listed, _taken_out(would_be, rendered, hidden or frozenset()))

    def _question(self, level: str) -> Question:
        size = engine.segment_size(self.model, self.bundle, self.segment)
        if self.group:
            size = engine.segment_size(self.model, self.bundle, self.group) or size
        counted = () if self.person.is_visitor else caps.asked(self.person.purpose, self.bundle)
        return self.person.question(level, model=self.model, segment_size=size, counted=counted)

    def _list(self, level: str, excluded: frozenset[str], hidden: Hidden) -> Listed:
        """Make the list of a level, as the proxy makes it for a permit up to there."""
        if hidden is None:  # no policy decided, and that is a denial
            return _general(hidden, None)
        if self.model is None:
            return _general(hidden, "no_model")
        is_personal = LEVELS[level] >= LEVELS["behavioral"]
        history = self.person.history(excluded) if is_personal else History()
        offer = Offer(Items(None), hidden)
        arguments = {
            "level": level,
            "history": history.touches,
            "session": self.person.session(excluded),
            "segment": self.segment,
            "group": self.group,
            "count": COUNT,
            "exclude": history.unwanted,
            "exclude_categories": hidden,
            "shape": shaping.shape_of(self.bundle, self.person.purpose, information.NO_SUBJECT, may_try=True),
            "offered": offer.of,
        }
        began = time.perf_counter_ns()
        try:
            served = engine.compute(self.model, self.bundle, arguments)
        except engine.EngineFailed as failed:
            return _general(hidden, failed.code)
        took_us = (time.perf_counter_ns() - began) // 1_000
        if served.level_used == "none":
            return _general(hidden, served.fallback and str(served.fallback))
        entries = offer.named(wording.items_of(served.recommendations))
        kinds = engine.kinds_of(self.model, self.bundle, served.segment) if served.segment else ()
        popular_with = wording.group(served.segment, kinds)
        worded = wording.explained(served.recommendations, entries, history.liked, popular_with)
        return Listed(
            Written.worded(worded).items(), str(served.level_used), served.fallback and str(served.fallback), took_us
        )


def _taken_out(would_be: Sequence[str], rendered: RenderedVerdict, hidden: frozenset[str]) -> list[HiddenItem]:
    """Return those of the items that are hidden, with the rules that hide them."""
    rules = [(str(duty.properties.get("rule", "")), set(hiding.of_duty(duty))) for duty in rendered.verdict.obligations]
    rows = {slug: (title, set(tags)) for slug, title, tags in _of_catalogue(would_be)}
    return [
        HiddenItem(title, tuple(rule for rule, hides in rules if hides & tags))
        for title, tags in (rows[item] for item in would_be if item in rows)
        if hidden & tags
    ]


def _caps_promotions(rendered: RenderedVerdict) -> bool:
    return any(duty.get("about") != "items" for duty in _duties(rendered, _CAPPING))


def _of_catalogue(items: Sequence[str]) -> list[tuple[str, str, list[str]]]:
    return list(Item.objects.filter(slug__in=items).values_list("slug", "title", "tags"))


def _general(hidden: Hidden, fallback: str | None) -> Listed:
    return Listed(wording.popular(_CATALOGUE.general(COUNT, hidden)), "none", fallback)
