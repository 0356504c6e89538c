"""Main parameters of the ranking, in plain words: Digital Services Act, Articles 27 and 38.

One place says it for the page, the API and the terms of the business. What is written here follows the recommender:
each level names what it uses, what weighs most, and why.
"""

from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from common.levels import LevelName
from common.suppression import smallest_group
from consent.register import words
from personalization.explained import weights
from personalization.recommender.groups.forming import TASTE_FROM
from personalization.recommender.levels import BEHAVIORAL_WINDOW
from policies.models import RankingRule

Text = str | Promise
_WINDOW = format_lazy(_("The last {count} things you did here"), count=BEHAVIORAL_WINDOW)


@dataclass(frozen=True)
class Parameter:
    """Parameter that one level ranks by, most important first."""

    level: LevelName
    ranks_by: Text
    uses: tuple[Text, ...]
    is_profiling: bool

    @property
    def name(self) -> Text:
        return words.LEVELS[self.level]


PARAMETERS = (
    Parameter(
        "none",
        _("The number of different people who chose a thing, the latest most. Everybody sees the same list."),
        (_("Nothing about you"),),
        is_profiling=False,
    ),
    Parameter(
        "segment",
        _(
            "The number of different people in your region and age group who chose a thing, if they are at least"
            " {count}."
        ),
        (_("Your region"), _("Your age group")),
        is_profiling=True,
    ),
    Parameter(
        "behavioral",
        _(
            "How alike a thing is to what you liked lately, the latest most of all: two things are alike if the same"
            " people chose both, or one soon after the other. While you have done little here, what is popular in your"
            " region and age group counts as well."
        ),
        (_WINDOW,),
        is_profiling=True,
    ),
    Parameter(
        "contextual",
        _("The same, and what you look at during this visit counts as well."),
        (_WINDOW, _("This visit")),
        is_profiling=True,
    ),
    Parameter(
        "individual",
        _("The same over everything you did here. Buying weighs more than liking, and liking more than looking."),
        (_("Everything you did here"), _("What you rated and bought"), _("This visit")),
        is_profiling=True,
    ),
)
_SEGMENTS = {
    "readable": Parameter(
        "segment",
        _(
            "What people of your group rank highest, if they are at least {count}. Groups are formed of the people"
            " whose data may be used for it, by the kind of things they choose most and by how many they chose."
        ),
        (_("The kind of things you choose most"), _("How many things you chose")),
        is_profiling=True,
    ),
    "taste": Parameter(
        "segment",
        _(
            "What people of similar taste rank highest, at least {count} of them. Groups are formed of the people whose"
            " data may be used for it; without a group, your region and age group count."
        ),
        (_("Your group of people with similar taste"),),
        is_profiling=True,
    ),
}
CHANGES = (
    _("Choose a level on your privacy page; it counts at once."),
    _("Ask for the general list at any time: it uses nothing about you."),
    _("Say that a thing is not relevant: it is not recommended to you again."),
)
NOT_USED = (
    _("Prices, margins and payments of sellers"),
    _("Sensitive information such as health or religion, unless you agreed to it expressly"),
    _("Anything from other sites"),
)
INFLUENCES = (
    _("How many different people choose your things: each person counts once."),
    _("What else those people choose: your things are shown to people who chose something alike."),
    _("How recent that is: what people do now counts most for what they are shown next."),
    _("Which of your things are offered at all: the business lists them, with title and categories."),
    _("Whether you are recommended at all: you may opt out."),
)
_MONEY = _(
    "Money: the ranking knows neither prices nor margins nor payments. Things whose place is paid for are marked as"
    " advertising."
)
NOT_INFLUENCES = (
    _MONEY,
    _("How many things you offer, or how long you have been here."),
    _("Who you are: nothing about creators is used."),
)


def _rule() -> RankingRule:
    return RankingRule.objects.filter(purpose="recommendations").first() or RankingRule()


def in_force() -> list[Parameter]:
    """Return the parameters of each level, as the rule of ranking of recommendations and the smallest group say."""
    segment, k = _SEGMENTS.get(_rule().segment_list), smallest_group()
    shown = [segment if segment and each.level == "segment" else each for each in PARAMETERS]
    least = max(k, TASTE_FROM) if segment is _SEGMENTS["taste"] else k
    return [replace(each, ranks_by=str(each.ranks_by).format(count=least)) for each in shown]


def objectives() -> list[tuple[str, int]]:
    """Return what personal lists of recommendations are made for, with weights and shares in per cent."""
    rule = _rule()
    others = {
        _("Variety: things of different kinds"): rule.variety,
        _("Novelty: things that few people know"): rule.novelty,
        _("Balance: kinds in the proportions of what you chose yourself"): rule.balance,
    }
    shares = {
        _("Places for things that are tried out, which say so"): rule.tried_share,
        _("Places for creators of few things, at least"): rule.small_creator_share,
    }
    relevance = (str(_("Relevance: how alike a thing is to what you liked")), 100 - sum(others.values()))
    return [relevance, *((str(name), weight) for name, weight in {**others, **shares}.items())]


def of_creators() -> dict[str, list[str]]:
    """Return what influences where a creator's things stand, and what does not, as the rule of ranking says."""
    share, not_influences = _rule().small_creator_share, NOT_INFLUENCES
    influences = [str(each) for each in INFLUENCES]
    if share:
        few = _("How few things you offer: %(share)d per cent of the places, at least, are for creators of few things.")
        influences.append(str(few % {"share": share}))
        not_influences = (
            _MONEY,
            _("How long you have been here."),
            _("Who you are: nothing else about creators is used."),
        )
    return {"influences": influences, "not_influences": [str(each) for each in not_influences]}


def document() -> dict[str, Any]:
    """Return the parameters as JSON, in the language of the request."""
    return {
        "levels": [
            {
                "level": parameter.level,
                "name": str(parameter.name),
                "ranks_by": str(parameter.ranks_by),
                "uses": [str(use) for use in parameter.uses],
                "profiling": parameter.is_profiling,
            }
            for parameter in in_force()
        ],
        "ways_to_change": [str(way) for way in CHANGES],
        "not_used": [str(thing) for thing in NOT_USED],
        "weights": [{"deed": deed, "counts": counts} for deed, counts in weights.deeds()],
        "objectives": [{"objective": name, "per_cent": weight} for name, weight in objectives()],
        "creators": of_creators(),
        "non_profiled_option": {"member": "mode", "value": "non_profiled"},
    }
