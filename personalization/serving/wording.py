"""Answers in words: what is shown, and why."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from personalization.recommender.model import Because, Recommendation
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
    liked: Collection[str],
    promoted: Collection[str] = (),
) -> list[Document]:
    """Return recommendations with the person's own items that speak for them and against them.

    An item without a title is not named: a rule hides it, or it is no longer in the catalogue. One for whose place
    somebody pays (``promoted``) is marked.
    """
    items = [_item(each, titles, liked) for each in recommendations]
    return [_as_advertising(item) if item["item"] in promoted else item for item in items]


def _as_advertising(item: Document) -> Document:
    """Return an item marked as advertising, in its reason too (Directive 2005/29/EC, Annex I, 11 and 11a)."""
    return {**item, "advertising": True, "why": _("Advertising. %(why)s") % {"why": item["why"]}}


def popular(items: Iterable[tuple[str, ...]]) -> list[Document]:
    """Return the list that everybody gets, of (item, title) or (item, title, basis)."""
    why = {
        "popular": _("Popular with other people"),
        "editorial": _("Chosen by our editors"),
        "also_bought": _("Bought by people who bought the same thing"),
    }
    why["promoted"] = why["popular"]
    listed = [
        {"item": item, "title": title, "basis": basis, "because": [], "despite": [], "why": why[basis]}
        for item, title, basis in ((*each, "popular")[:3] for each in items)
    ]
    return [_as_advertising(item) if item["basis"] == "promoted" else item for item in listed]


def reasons_of(recommendations: Iterable[Recommendation]) -> set[str]:
    """Return the person's own items that are named as reasons."""
    return {reason.item for each in recommendations for reason in (*each.because, *each.despite)}


def _item(recommendation: Recommendation, titles: Mapping[str, str], liked: Collection[str]) -> Document:
    item = recommendation.item
    because = _named(recommendation.because, titles)
    return {
        "item": item.id,
        "title": titles.get(item.id, item.title),
        "basis": recommendation.basis.value,
        "because": because,
        "despite": _named(recommendation.despite, titles),
        "why": _why(recommendation, [each["title"] for each in because[:2]], liked),
    }


def _named(items: Iterable[Because], titles: Mapping[str, str]) -> list[Document]:
    return [
        {"item": each.item, "title": titles[each.item], "share": round(each.share, 4)}
        for each in items
        if each.item in titles
    ]


def _why(recommendation: Recommendation, things: list[str], liked: Collection[str]) -> str:
    if things:
        named = things[0] if len(things) == 1 else _("%(one)s and %(other)s") % {"one": things[0], "other": things[1]}
        if recommendation.basis == "session" or any(each.item not in liked for each in recommendation.because[:2]):
            return _("Because you looked at %(things)s") % {"things": named}
        return _("Because you liked %(things)s") % {"things": named}
    if recommendation.basis == "segment":
        return _("Popular in your region and age group")
    return _("Popular with other people")
