"""Answers in words: what is shown, and why."""

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from personalization.recommender.answers import Basis, Because, Recommendation
from personalization.recommender.groups.forming import Kind, kind_of
from policies.bundles import reasons
from policies.decisions.evaluate import Decision

Document = dict[str, Any]


def decided(decision: Decision) -> list[Document]:
    """Return the reasons of a decision, each with a sentence for the person."""
    return [
        {"code": each.code, "detail": each.detail, "sentence": reasons.for_person(each.code)}
        for each in decision.rendered.verdict.reasons
    ]


def explained(
    recommendations: Iterable[Recommendation],
    titles: Mapping[str, str],
    liked: Container[str],
    group: str = "",
    promoted: Container[str] = frozenset(),
) -> list[Document]:
    """Return recommendations with the person's own items that speak for them and against them.

    An item without a title is not named: a rule hides it, or it is no longer in the catalogue. ``group``: with whom
    items of a segment are popular, where it is not people of the region and age band. ``promoted``: items whose place
    is paid for, which are marked.
    """
    say = _sentences(get_language())
    if group:
        say = say._replace(segment=group)
    listed = [_item(each, titles, liked, say) for each in recommendations]
    return [_as_advertising(item, say) if item["item"] in promoted else item for item in listed]


def _as_advertising(item: Document, say: "_Sentences") -> Document:
    """Return an item marked as advertising, in its reason too (Directive 2005/29/EC, Annex I, 11 and 11a)."""
    return {**item, "advertising": True, "why": say.advertising % {"why": item["why"]}}


def popular(items: Iterable[tuple[str, str, str]]) -> list[Document]:
    """Return the list that everybody gets, of items, titles and bases."""
    say = _sentences(get_language())
    why = {
        "popular": say.popular,
        "editorial": say.editorial,
        "also_bought": say.also_bought,
        "promoted": say.popular,
    }
    listed = [
        {"item": item, "title": title, "basis": basis, "because": [], "despite": [], "why": why[basis]}
        for item, title, basis in items
    ]
    return [_as_advertising(item, say) if item["basis"] == "promoted" else item for item in listed]


def items_of(recommendations: Iterable[Recommendation]) -> set[str]:
    """Return all items that are named: the recommended ones, and the person's own as their reasons."""
    named = {each.item.id for each in recommendations}
    return named.union([reason[0] for each in recommendations for reason in (*each.because, *each.despite)])


def group(key: str | None, kinds: Sequence[str]) -> str:
    """Return with whom items of a group by people's own data are popular; empty for any other segment.

    ``kinds``: the kinds of items that its list has more of than the catalogue.
    """
    kind = kind_of(key) if key else None
    if kind is None or key is None:
        return ""
    if kind is Kind.TASTE:
        return _("Popular with people of similar taste: %(kinds)s") % {"kinds": ", ".join(kinds)}
    parts = dict(part.split("=", 1) for part in key.partition(":")[2].split("|"))
    amounts = {
        "few": _("Popular with people who chose few things here"),
        "some": _("Popular with people who chose some things here"),
        "many": _("Popular with people who chose many things here"),
    }
    favourite = parts.get("favourite", "")
    found = [_("Popular with people who often choose %(kinds)s") % {"kinds": favourite}] if favourite else []
    return "; ".join([*found, *([amounts[parts["chosen"]]] if "chosen" in parts else [])])


class _Sentences(NamedTuple):
    """What is said of items, in one language."""

    looked: str
    liked: str
    two: str
    segment: str
    popular: str
    editorial: str
    also_bought: str
    advertising: str
    tried: str


@lru_cache(maxsize=64)
def _sentences(_language: str | None) -> _Sentences:
    """Return the sentences in the language in force, which is looked up once and not for each item."""
    return _Sentences(
        looked=_("Because you looked at %(things)s"),
        liked=_("Because you liked %(things)s"),
        two=_("%(one)s and %(other)s"),
        segment=_("Popular in your region and age group"),
        popular=_("Popular with other people"),
        editorial=_("Chosen by our editors"),
        also_bought=_("Bought by people who bought the same thing"),
        advertising=_("Advertising. %(why)s"),
        tried=_("Tried out, to learn whether it is liked. %(why)s"),
    )


def _item(
    recommendation: Recommendation, titles: Mapping[str, str], liked: Container[str], say: _Sentences
) -> Document:
    item = recommendation.item
    because = _named(recommendation.because, titles)
    why = _why(recommendation, [each["title"] for each in because[:2]], liked, say)
    tried = {"tried_out": True} if recommendation.is_tried else {}
    return {
        "item": item.id,
        "title": titles.get(item.id, item.title),
        "basis": recommendation.basis.value,
        "because": because,
        "despite": _named(recommendation.despite, titles),
        "why": say.tried % {"why": why} if tried else why,
        **tried,
    }


def _named(items: Iterable[Because], titles: Mapping[str, str]) -> list[Document]:
    return [
        {"item": item, "title": titles[item], "share": round(share, 4)}
        for item, share, _contribution, _source in items
        if item in titles
    ]


def _why(recommendation: Recommendation, things: list[str], liked: Container[str], say: _Sentences) -> str:
    if things:
        named = things[0] if len(things) == 1 else say.two % {"one": things[0], "other": things[1]}
        first = recommendation.because[:2]
        looked = recommendation.basis is Basis.SESSION or not all(each.item in liked for each in first)
        return (say.looked if looked else say.liked) % {"things": named}
    return say.segment if recommendation.basis == "segment" else say.popular
