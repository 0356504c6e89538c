"""Evaluation of a model's levels on what came after the training part of each person: the figures of the model card.

Two protocols, always to be named. S: every item of the training part is left out of every list, which compares
levels. W: only what the level may look at is left out, which is what the level serves. People hardly repeat an item,
so a repeat is no hit, and W costs every level that forgets.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from common.levels import Level
from personalization.recommender import diversity
from personalization.recommender.interactions import Interaction, Interactions, Item, Person
from personalization.recommender.model import Model
from personalization.recommender.recipe import Recipe
from personalization.recommender.shaping.shapes import Shape
from personalization.recommender.training import train
from personalization.recommender.validation import metrics
from personalization.recommender.validation.split import NEW_ITEMS, sample, split

SESSION_LENGTH = 2
"""The interactions just before the held-out ones that count as this session: not yet stored as history."""
PEOPLE = 5_000
"""At most so many people are asked about: a sample, evenly over all of them."""


class Protocol(StrEnum):
    """Rule for the items that a list leaves out."""

    S = "S"
    W = "W"


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one level's lists of ten: means over the people asked, ``interval`` the 95 % one of nDCG.

    ``coverage`` is the share of the catalogue on any list (Herlocker et al. 2004), ``diversity`` the mean distance of
    two items of a list in categories (Ziegler et al. 2005), ``novelty`` the mean of -log2 of the share of people who
    liked an item (Zhou et al. 2010), ``serendipity`` the share of a list that is relevant and not on the list that the
    same person gets at ``none`` (Ge, Delgado-Battenfeld & Jannach 2010), ``popularity_lift`` how many times as popular
    the recommended items are as what the same people touched before (Abdollahpouri et al. 2019). ``lift`` is nDCG over
    that of ``none``, less 1.
    """

    ndcg: float = 0.0
    interval: tuple[float, float] = (0.0, 0.0)
    precision: float = 0.0
    recall: float = 0.0
    coverage: float = 0.0
    diversity: float = 0.0
    novelty: float = 0.0
    popularity_lift: float = 0.0
    serendipity: float = 0.0
    lift: float | None = None


@dataclass(frozen=True, slots=True)
class GroupFigure:
    """Mean nDCG@10 of the people of one segment at the highest level, with its interval."""

    people: int
    ndcg: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures per protocol and level over the ``people`` who liked something that was held out."""

    people: int
    levels: Mapping[Protocol, Mapping[Level, Figures]]
    groups: Mapping[str, GroupFigure] = field(default_factory=dict)
    by_segment: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    new_items: GroupFigure | None = None

    @property
    def ndcg(self) -> Mapping[Level, float]:
        """Return mean nDCG@10 per level as it is served (protocol W)."""
        return {level: figures.ndcg for level, figures in self.levels[Protocol.W].items()}


@dataclass(frozen=True, slots=True)
class Case:
    """Person who is asked about: what they did before, and what they liked of what came after."""

    person: Person
    history: tuple[Interaction, ...]
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True)
class NewItems:
    """The people who liked an item that was treated as new, and their lists of new items alone (protocol S)."""

    cases: Sequence[Case]
    lists: Sequence[Sequence[str]]


Lists = Mapping[Protocol, Mapping[Level, Sequence[Sequence[str]]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Model of the first part of the data, the people asked about, and everybody's list per protocol and level."""

    model: Model
    cases: Sequence[Case]
    lists: Lists
    new: NewItems | None = None


def evaluate(
    interactions: Interactions,
    items: Iterable[Item],
    segments: Mapping[Person, str],
    *,
    recipe: Recipe | None = None,
    min_segment: int = 20,
) -> Evaluation:
    """Train without the last fifth of each person's items and see how high every level ranks those that they liked.

    People without a liked item among them are trained on but not asked about.
    """
    asked = ask(interactions, items, segments, recipe=recipe, min_segment=min_segment)
    return summed(asked, segments, min_segment=min_segment)


def ask(
    interactions: Interactions,
    items: Iterable[Item],
    segments: Mapping[Person, str],
    *,
    recipe: Recipe | None = None,
    min_segment: int = 20,
    min_people: int = 2,
) -> Asked:
    """Train on the first part of everybody's items, and note the list that each level gives to each person asked."""
    held = split(interactions)
    known = interactions.rows(held.training)
    model = train(known, items, segments, recipe=recipe, min_segment=min_segment, min_people=min_people)
    asked = cases(known, held.relevant)
    served = {level: [_list(model, level, case, segments) for case in asked] for level in Level}
    strict = {
        level: [_strict(model, level, case, segments, some) for case, some in zip(asked, lists, strict=True)]
        for level, lists in served.items()
    }
    lists = {Protocol.S: strict, Protocol.W: served}
    return Asked(model, asked, lists, ask_about_new(model, known, asked))


def ask_about_new(model: Model, known: Interactions, asked: Sequence[Case], *, fold: int = 1) -> NewItems | None:
    """Train the model's recipe as if a fifth of the items were new, and note how it ranks these; None without content.

    The choice of the recipe hides the items of fold 0.
    """
    rules = model.parameters
    if not rules.recipe.content:
        return None
    hidden = frozenset(item.id for item in model.items[fold::NEW_ITEMS])
    without = train(
        _without(sample(known, len(model.items)), hidden),
        model.items,
        {},
        recipe=rules.recipe,
        min_people=rules.min_people,
        min_segment=rules.min_segment,
        neighbours=rules.neighbours,
    )
    some = [replace(case, relevant=case.relevant & hidden) for case in asked if case.relevant & hidden]
    lists = [
        listed(
            without,
            Level.INDIVIDUAL,
            history=[touch for touch in case.history if touch.item not in hidden],
            exclude={touch.item for touch in case.history},
            among=hidden,
        )
        for case in some
    ]
    return NewItems(some, lists)


def _without(known: Interactions, hidden: frozenset[str]) -> Interactions:
    """Return the interactions with other items."""
    is_hidden = np.array([item in hidden for item in known.items.values], dtype=np.bool_)
    return known.rows(np.flatnonzero(~is_hidden[known.items.codes]))


def summed(asked: Asked, segments: Mapping[Person, str], *, min_segment: int = 20) -> Evaluation:
    """Return the figures of the lists that were noted."""
    levels: dict[Protocol, dict[Level, Figures]] = {}
    for protocol, found in asked.lists.items():
        usual = found[Level.NONE]
        base = float(np.mean(gains(asked.cases, usual) or [0.0]))
        levels[protocol] = {
            level: summarised(asked.model, asked.cases, lists, base=base, usual=usual) for level, lists in found.items()
        }
    personal = gains(asked.cases, asked.lists[Protocol.S][Level.INDIVIDUAL])
    groups = _groups(asked.cases, segments, personal, min_segment)
    by_segment = _by_segment(asked.cases, segments, personal)
    return Evaluation(len(asked.cases), levels, groups, by_segment, of_new_items(asked.new))


def of_new_items(new: NewItems | None) -> GroupFigure | None:
    """Return the figure of the lists of new items."""
    if new is None or not new.cases:
        return None
    found = gains(new.cases, new.lists)
    return GroupFigure(len(found), float(np.mean(found)), metrics.interval(found))


def cases(known: Interactions, relevant: Mapping[Person, Sequence[str]]) -> list[Case]:
    """Return the people to ask about, in the order of their first row."""
    people = known.people
    order = np.argsort(known.time, kind="stable")
    _, first = np.unique(people.codes[order], return_index=True)
    able = [code for code in people.codes[order[np.sort(first)]].tolist() if relevant.get(people.values[code])]
    chosen = np.unique(np.linspace(0, len(able) - 1, min(len(able), PEOPLE)).astype(int))
    histories: dict[int, list[Interaction]] = {able[one]: [] for one in chosen}
    for row in order[np.isin(people.codes[order], list(histories))].tolist():
        liked = known.liked is None or bool(known.liked[row])
        touch = Interaction(known.item[row], float(known.weight[row]), float(known.time[row]), liked)
        histories[int(people.codes[row])].append(touch)
    return [
        Case(people.values[code], tuple(history), frozenset(relevant[people.values[code]]))
        for code, history in histories.items()
    ]


def _list(
    model: Model, level: Level, case: Case, segments: Mapping[Person, str], exclude: Iterable[str] = ()
) -> list[str]:
    return listed(
        model,
        level,
        history=case.history[:-SESSION_LENGTH],
        session=case.history[-SESSION_LENGTH:],
        segment=segments.get(case.person),
        exclude=exclude,
    )


def _strict(model: Model, level: Level, case: Case, segments: Mapping[Person, str], served: list[str]) -> list[str]:
    """Return the list without anything that the person knew: the one that is served, where it names nothing of that."""
    seen = {touch.item for touch in case.history}
    return served if seen.isdisjoint(served) else _list(model, level, case, segments, seen)


def listed(
    model: Model,
    level: Level,
    *,
    exclude: Iterable[str],
    history: Sequence[Interaction] = (),
    session: Sequence[Interaction] = (),
    segment: str | None = None,
    shape: Shape | None = None,
    among: frozenset[str] | None = None,
) -> list[str]:
    """Return the ids of the ten items that a level gives."""
    served = model.recommend(
        level,
        history=history,
        session=session,
        segment=segment,
        count=metrics.RANKS,
        exclude=frozenset(exclude),
        reasons=1,
        shape=shape,
        among=among,
    )
    return [one.item.id for one in served.recommendations]


def gains(asked: Sequence[Case], lists: Sequence[Sequence[str]]) -> list[float]:
    """Return everybody's nDCG@10."""
    return [
        metrics.ndcg([item in case.relevant for item in some], len(case.relevant))
        for case, some in zip(asked, lists, strict=True)
    ]


def summarised(
    model: Model,
    asked: Sequence[Case],
    lists: Sequence[Sequence[str]],
    *,
    base: float | None,
    usual: Sequence[Sequence[str]],
) -> Figures:
    """Return the figures of the lists that the people asked were given.

    ``usual`` are their lists at ``none``, by the same protocol, and ``base`` is the nDCG of those.
    """
    if not asked:
        return Figures()
    ndcg = gains(asked, lists)
    places = {item.id: place for place, item in enumerate(model.items)}
    categories = diversity.vectors([item.categories for item in model.items])
    known = model.popularity.scores
    shown = [np.array([places[item] for item in some], dtype=np.intp) for some in lists]
    before = [np.array([places[t.item] for t in case.history if t.item in places], dtype=np.intp) for case in asked]
    hits = [sum(item in case.relevant for item in some) for case, some in zip(asked, lists, strict=True)]
    everything = np.concatenate(shown)
    used_to = float(np.mean([known[some].mean() for some in before if len(some)] or [0.0]))
    mean = float(np.mean(ndcg))
    return Figures(
        ndcg=mean,
        interval=metrics.interval(ndcg),
        precision=float(np.mean(hits)) / metrics.RANKS,
        recall=float(np.mean([hit / len(case.relevant) for hit, case in zip(hits, asked, strict=True)])),
        coverage=len(np.unique(everything)) / max(len(model.items), 1),
        diversity=float(np.mean([diversity.intra_list(categories[some]) for some in shown])),
        novelty=float(-np.log2(np.maximum(known[everything], 1e-6)).mean()) if len(everything) else 0.0,
        popularity_lift=float(known[everything].mean()) / used_to if used_to and len(everything) else 0.0,
        serendipity=float(np.mean([len(found) for found in _unexpected(asked, lists, usual)])) / metrics.RANKS,
        lift=mean / base - 1 if base else None,
    )


def _unexpected(
    asked: Sequence[Case], lists: Sequence[Sequence[str]], usual: Sequence[Sequence[str]]
) -> Iterator[frozenset[str]]:
    for case, some, others in zip(asked, lists, usual, strict=True):
        yield case.relevant.intersection(some).difference(others)


def _by_segment(
    asked: Sequence[Case], segments: Mapping[Person, str], ndcg: Sequence[float]
) -> dict[str, tuple[int, float]]:
    """Return how many people of each segment, however small, were asked, and their mean; "none" are those in none."""
    found: dict[str, list[float]] = {}
    for case, one in zip(asked, ndcg, strict=True):
        found.setdefault(segments.get(case.person, "none"), []).append(one)
    return {key: (len(some), float(np.mean(some))) for key, some in sorted(found.items())}


def _groups(
    asked: Sequence[Case], segments: Mapping[Person, str], ndcg: Sequence[float], min_segment: int
) -> dict[str, GroupFigure]:
    """Return the figures of the segments with enough people asked: a smaller one would speak of single people."""
    found: dict[str, list[float]] = {}
    for case, one in zip(asked, ndcg, strict=True):
        if case.person in segments:
            found.setdefault(segments[case.person], []).append(one)
    return {
        key: GroupFigure(len(some), float(np.mean(some)), metrics.interval(some))
        for key, some in sorted(found.items())
        if len(some) >= min_segment
    }
