"""Weights of the ranking in words: what a deed counts, and what the version in use adds up for whom."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from personalization.events import WEIGHTS
from personalization.models import Event
from personalization.recommender.model import Parameters
from personalization.recommender.recipe import Band, Kind, Spec

_KINDS = {
    Kind.EASE: gettext_lazy("Things that the same people chose, weighed against all other things they chose"),
    Kind.COSINE: gettext_lazy("Things that the same people chose"),
    Kind.TFIDF_COSINE: gettext_lazy("Things that the same people chose; what many choose anyway counts less"),
    Kind.NEAR: gettext_lazy("Things chosen shortly before or after one another"),
    Kind.FORWARD: gettext_lazy("Things chosen shortly after one another"),
}


@dataclass(frozen=True)
class Share:
    """Part of the ranking and its weight, as per cent of all parts."""

    what: str
    per_cent: int
    fades: str = ""

    @property
    def part(self) -> str:
        """What it is, and how it fades, as one text."""
        return f"{self.what}. {self.fades}".rstrip()


@dataclass(frozen=True)
class Weighing:
    """Shares for people whose history has a length."""

    whom: str
    shares: list[Share]


def deeds() -> list[tuple[str, str]]:
    """Return what each deed counts, the strongest first."""
    return [
        (_("Buying"), f"{WEIGHTS[Event.Kind.PURCHASE]:g}"),
        (_("Rating"), _("as many as its stars, from 3 on; below that nothing")),
        (_("Liking"), f"{WEIGHTS[Event.Kind.LIKE]:g}"),
        (_("Looking or opening"), f"{WEIGHTS[Event.Kind.VIEW]:g}"),
        (_("Not relevant"), _("it is not recommended to that person again")),
    ]


def weighings(parameters: Parameters) -> list[Weighing]:
    """Return the shares of a version for short and long histories; equal neighbours are one row."""
    recipe = parameters.recipe
    found: list[Weighing] = []
    for number, band in enumerate(recipe.bands):
        following = recipe.bands[number + 1] if number + 1 < len(recipe.bands) else None
        if following is None or (following.weights, following.prior) != (band.weights, band.prior):
            whom = _whom(band) if found or following else _("Everybody")
            found.append(Weighing(whom, list(_shares(recipe.parts, band))))
    return found


def compared(found: list[Weighing]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Return the parts as headings, and for each length of history what each part counts."""
    parts = list(dict.fromkeys(share.part for each in found for share in each.shares))
    counts = [{share.part: f"{share.per_cent} %" for share in each.shares} for each in found]
    return parts, [(each.whom, [of.get(part, "0 %") for part in parts]) for each, of in zip(found, counts, strict=True)]


def _whom(band: Band) -> str:
    if band.up_to is None:
        return _("People who chose more things than that")
    words = ngettext("People who chose %(count)d thing", "People who chose up to %(count)d things", band.up_to)
    return words % {"count": band.up_to}


def _shares(parts: tuple[Spec, ...], band: Band) -> Iterator[Share]:
    whole = sum(map(abs, band.weights)) + band.prior or 1.0
    for part, weight in zip(parts, band.weights, strict=True):
        if weight:
            yield Share(str(_KINDS[part.kind]), round(100 * weight / whole), _fades(part))
    if band.prior:
        yield Share(_("Popular in the region and age group"), round(100 * band.prior / whole))


def _fades(part: Spec) -> str:
    if part.half_life is None:
        return _("Older choices count as much as new ones.")
    return _("A choice counts half after %(count)d newer ones.") % {"count": round(part.half_life)}
