"""Answers in words: what is shown, and why."""

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import compress
from typing import Any, NamedTuple, Self

import msgspec
import numpy as np
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from personalization.recommender.answers import Basis, Because, Personal, Recommendation
from personalization.recommender.groups.forming import Kind, kind_of
from personalization.serving.reading import Entry
from personalization.serving.tables import Table
from policies.bundles import reasons
from policies.decisions.evaluate import Decision

Document = dict[str, Any]


def decided(decision: Decision) -> list[Document]:
    """Return the reasons of a decision, each with a sentence for the person."""
    return [
        {"code": each.code, "detail": each.detail, "sentence": reasons.for_person(each.code)}
        for each in decision.rendered.verdict.reasons
    ]


class Worded(NamedTuple):
    """Item of a list, and all that is said of it as a JSON object."""

    item: str
    text: str

    @classmethod
    def of(cls, document: Document) -> Self:
        return cls(document["item"], _json(document))


def explained(
    recommendations: Iterable[Recommendation],
    entries: Mapping[str, Entry],
    liked: Container[str],
    group: str = "",
) -> list[Worded]:
    """Return recommendations with the person's own items that speak for them and against them.

    An item without an entry is not named: a rule hides it, or it is no longer in the catalogue. One whose place is paid
    for is marked. ``group``: with whom items of a segment are popular, where it is not people of the region and age
    band.
    """
    say = _sentences(get_language())
    if group:
        say = say._replace(segment=group)
    return [_worded(each, entries, liked, say) for each in recommendations]


def personal(listed: Personal, table: Table, liked: Container[str]) -> list[Worded]:
    """Return what ``explained`` does of a personal list, out of columns: no object is made for a reason."""
    say, number, own = _sentences(get_language()), listed.number, listed.own
    columns = (
        listed.chosen, table.begun[listed.chosen], table.is_promoted[listed.chosen], own,
        table.begun[own] + _ends(listed), table.titles[own[:, :number]],
        listed.speaks, listed.speaks & table.is_named[own],
    )  # fmt: skip
    found = []
    for place, (position, begun, is_promoted, places, said, titles, speaks, is_named) in enumerate(
        zip(*[column.tolist() for column in columns], strict=True)
    ):
        item, basis = listed.items[position], listed.bases[place]
        things = list(compress(titles, is_named))[:2]
        first = [listed.items[each].id for each in compress(places[:number], speaks)][:2]
        why, marks = _why(basis, things, first, liked, say), ""
        if place in listed.tried:
            why, marks = say.tried % {"why": why}, ',"tried_out":true'
        if is_promoted:
            why, marks = say.advertising % {"why": why}, marks + ',"advertising":true'
        text = (
            begun or Entry.of(item.id, item.title).begun, ',"basis":"', basis, '","because":[',
            ",".join(compress(said[:number], is_named)), '],"despite":[',
            ",".join(compress(said[number:], is_named[number:])), '],"why":', _json(why), marks, "}",
        )  # fmt: skip
        found.append(Worded(item.id, "".join(text)))
    return found


_FOUR_PLACES = 10_000


def _ends(listed: Personal) -> NDArray[np.object_]:
    """Return how the objects of the reasons end, with their shares of what speaks for an item."""
    shares = np.rint(listed.amounts / listed.speaking_for[:, np.newaxis] * _FOUR_PLACES).astype(np.intp)
    is_usual = shares.min(initial=0) >= -_FOUR_PLACES  # else more speaks against an item than for it
    found: NDArray[np.object_] = _ENDS[shares] if is_usual else np.vectorize(_end, otypes=[np.object_])(shares)
    return found


def _end(share: int) -> str:
    return f',"share":{share / _FOUR_PLACES}}}'


# By the share, negative ones from behind: to write a number costs more than to find it.
_ENDS = np.array([_end(share) for share in (*range(_FOUR_PLACES + 1), *range(-_FOUR_PLACES, 0))], dtype=np.object_)


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


def _worded(
    recommendation: Recommendation, entries: Mapping[str, Entry], liked: Container[str], say: _Sentences
) -> Worded:
    item, first = recommendation.item, [reason.item for reason in recommendation.because[:2]]
    because = _named(recommendation.because, entries)
    document: Document = {
        "item": item.id,
        "title": entries[item.id].title if item.id in entries else item.title,
        "basis": recommendation.basis.value,
        "because": because,
        "despite": _named(recommendation.despite, entries),
        "why": _why(recommendation.basis, [each["title"] for each in because[:2]], first, liked, say),
    }
    if recommendation.is_tried:
        document = {**document, "why": say.tried % {"why": document["why"]}, "tried_out": True}
    is_promoted = item.id in entries and entries[item.id].is_promoted
    return Worded.of(_as_advertising(document, say) if is_promoted else document)


def _named(items: Iterable[Because], entries: Mapping[str, Entry]) -> list[Document]:
    return [
        {"item": item, "title": entries[item].title, "share": round(share, 4)}
        for item, share, _contribution, _source in items
        if item in entries
    ]


_encode = msgspec.json.Encoder().encode


def _json(value: object) -> str:
    return _encode(value).decode()


def _why(basis: Basis, things: Sequence[str], first: Sequence[str], liked: Container[str], say: _Sentences) -> str:
    """Return why, with the titles of what is named of the person's ``first`` items."""
    if things:
        named = things[0] if len(things) == 1 else say.two % {"one": things[0], "other": things[1]}
        looked = basis is Basis.SESSION or not all(each in liked for each in first)
        return (say.looked if looked else say.liked) % {"things": named}
    return say.segment if basis == "segment" else say.popular
