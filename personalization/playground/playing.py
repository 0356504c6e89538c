"""Play a made-up person at each level: the verdict of the rules in force, the list, and what rules took out of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from common.levels import LEVELS
from personalization import engine
from personalization.models import Item
from personalization.playground.people import MadeUp
from personalization.serving import wording
from personalization.serving.items import Items, Offer
from personalization.serving.reading import Hidden, History
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.decisions import information, trial
from policies.decisions.information import Information
from policies.decisions.questions import Question
from policies.decisions.rendering import NO_ENGINE, RenderedVerdict

COUNT = 10
_HIGHEST = max(LEVELS, key=lambda level: LEVELS[level])
_HIDING, _EXCLUDING, _REVIEW = "hide_items", "exclude_categories", "human_review"
_CATALOGUE = Items(None)  # as it is now: nothing is held for the requests of people
_ALL_KINDS = ("purchases", "ratings", "views")


class NotPlayable(Exception):
    """No revision is in force, so that there is nothing to play by."""


@dataclass(frozen=True)
class HiddenItem:
    """Item that a level would have shown, and the rules of display that hide it, by their short names."""

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
    """What the rules permit a made-up person who is asked about at the highest level, and each level's list."""

    bundle: LoadedBundle
    model: str | None
    columns: Sequence[Column]

    @property
    def rendered(self) -> RenderedVerdict:
        return self.columns[-1].rendered

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
    return Played(bundle, stage.model, [stage.column(level) for level in LEVELS])


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
        return engine.segment_key(self.person.region, self.person.age_band)

    def column(self, level: str) -> Column:
        rendered = trial.judge(self._question(level), self.known, self.bundle)
        hidden = None if rendered.engine == NO_ENGINE else _categories(rendered, _HIDING)
        excluded = _categories(rendered, _EXCLUDING)
        listed = self._list(level, excluded, hidden)
        return Column(level, rendered, listed, self._hidden(level, rendered, excluded) if hidden else ())

    def _question(self, level: str) -> Question:
        return Question(
            subject_ref=information.NO_SUBJECT,
            action="personalize",
            purpose=self.person.purpose,
            requested_level=level,
            data_categories=_ALL_KINDS,
            model=self.model,
            processing_region=settings.PROCESSING_REGION,
            segment_size=engine.segment_size(self.model, self.bundle, self.segment),
        )

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
            "count": COUNT,
            "exclude": history.unwanted,
            "exclude_categories": hidden,
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
        titles = offer.titles(wording.items_of(served.recommendations))
        items = wording.explained(served.recommendations, titles, history.liked)
        return Listed(items, str(served.level_used), served.fallback and str(served.fallback), took_us)

    def _hidden(self, level: str, rendered: RenderedVerdict, excluded: frozenset[str]) -> list[HiddenItem]:
        """Return what would have been in the list without the rules of display."""
        rules = [(str(duty["rule"]), frozenset(duty["categories"])) for duty in _duties(rendered, _HIDING)]
        items = [str(each["item"]) for each in self._list(level, excluded, frozenset()).items]
        rows = {slug: (title, set(kinds)) for slug, title, kinds in _of_catalogue(items)}
        found = []
        for title, kinds in (rows[item] for item in items if item in rows):
            by = tuple(rule for rule, categories in rules if categories & kinds)
            if by:
                found.append(HiddenItem(title, by))
        return found


def _of_catalogue(items: Sequence[str]) -> list[tuple[str, str, list[str]]]:
    return list(Item.objects.filter(slug__in=items).values_list("slug", "title", "tags"))


def _general(hidden: Hidden, fallback: str | None) -> Listed:
    return Listed(wording.popular(_CATALOGUE.general(COUNT, hidden)), "none", fallback)
