"""What is new in the next version of a notice, as a plain sentence each, in the language of the notice.

It is read while a change set stands in a savepoint: the same reading as that of the terms a new version would freeze.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent.models import Party, Purpose, PurposeText
from consent.register import terms, words
from consent.register.terms import Terms


@dataclass(frozen=True)
class Said:
    """What registers say about a purpose, by which a person is told what is new. ``kept`` and names by language."""

    terms: Terms
    basis: str
    kept: Mapping[str, str]
    parties: Mapping[str, str]
    purposes: Mapping[str, Mapping[str, str]]

    @classmethod
    def now(cls, slug: str) -> Self:
        """Read the registers as they stand in this transaction."""
        purpose = Purpose.objects.get(slug=slug)
        texts = list(PurposeText.objects.select_related("purpose"))
        names: dict[str, dict[str, str]] = {each.slug: {"": each.name} for each in Purpose.objects.all()}
        for text in texts:
            names[text.purpose.slug][text.locale] = text.name
        own = {text.locale: text.kept_for for text in texts if text.purpose_id == purpose.pk}
        return cls(
            terms=terms.of_register(purpose),
            basis=purpose.legal_basis,
            kept={"": purpose.kept_for, **own},
            parties=dict(Party.objects.values_list("slug", "name")),
            purposes=names,
        )


def sentences(agreed: Terms, before: Said, after: Said, locale: str) -> list[str]:
    """Return what the registers say after a change beyond the terms of the newest version, in a language.

    The legal basis and the words about how long data is kept are in no terms: they are compared with those before.
    """
    with translation.override(locale):
        return [
            *_lists(agreed, after),
            *_level(agreed, after),
            *_broader(agreed, after, locale),
            *_controller(agreed, after),
            *_retention(agreed, after),
            *_basis(before, after),
            *_kept(before, after, locale),
        ]


def _lists(agreed: Terms, after: Said) -> Iterator[str]:
    more = terms.beyond(after.terms, agreed)
    if more is None:
        return
    recipients = [after.parties.get(slug, words.plain(slug)) for slug in sorted(more.recipients)]
    actions, kinds = map(words.plain_action, sorted(more.actions)), map(words.plain, sorted(more.data_categories))
    if names := [*actions, *kinds, *recipients, *map(words.plain, sorted(more.channels))]:
        yield _("New in this version: %(what)s.") % {"what": ", ".join(names)}


def _level(agreed: Terms, after: Said) -> Iterator[str]:
    level = after.terms.max_level
    if terms.rank(level) > terms.rank(agreed.max_level):
        named = str(words.LEVELS.get(level, level))
        yield _("It may be more personal than before, at most: %(level)s.") % {"level": named}


def _broader(agreed: Terms, after: Said, locale: str) -> Iterator[str]:
    broader = after.terms.broader
    if broader is not None and broader != agreed.broader:
        yield _("It is part of “%(purpose)s” now: a yes to that counts here, too.") % {
            "purpose": _in(locale, after.purposes.get(broader, {})) or words.plain(broader)
        }


def _controller(agreed: Terms, after: Said) -> Iterator[str]:
    former, controller = agreed.controller, after.terms.controller
    if former is not None and controller is not None and former != controller:
        yield _("%(controller)s is responsible now instead of %(former)s.") % {
            "controller": after.parties.get(controller, controller),
            "former": after.parties.get(former, former),
        }


def _retention(agreed: Terms, after: Said) -> Iterator[str]:
    former, days = agreed.retention_days, after.terms.retention_days
    if former is None or (days is not None and days <= former):
        return
    if days is None:
        yield _("We keep the data without a fixed end now instead of for %(former)s.") % {"former": _days(former)}
        return
    yield _("We keep the data for %(period)s now instead of %(former)s.") % {
        "period": _days(days),
        "former": _days(former),
    }


def _days(days: int) -> str:
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


def _basis(before: Said, after: Said) -> Iterator[str]:
    if after.basis != before.basis:
        yield _("We rely on another legal basis now: %(basis)s.") % {"basis": words.BASES[after.basis]}


def _kept(before: Said, after: Said, locale: str) -> Iterator[str]:
    kept = _in(locale, after.kept)
    if kept and kept != _in(locale, before.kept):
        yield _("How long we keep the data: %(kept)s.") % {"kept": kept.rstrip(".")}


def _in(locale: str, texts: Mapping[str, str]) -> str:
    """Return a text in a language, else in the register's own."""
    return texts.get(locale) or texts.get("", "")
