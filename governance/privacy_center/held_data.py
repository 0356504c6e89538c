"""What is kept about a person and until when, as the person reads it. A hold is not named: its matter may be secret."""

from collections.abc import Iterator
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.models import DataSubject
from personalization.models import Event
from privacy.retention.data_sets import kept_until
from privacy.retention.data_sets.kept_until import Kept

Text = str | Promise
_KINDS: dict[str, Promise] = {
    Event.Kind.VIEW: _("Things you looked at"),
    Event.Kind.CLICK: _("Things you opened"),
    Event.Kind.DWELL: _("How long you looked at things"),
    Event.Kind.LIKE: _("Things you liked"),
    Event.Kind.RATING: _("Ratings you gave"),
    Event.Kind.PURCHASE: _("Things you bought"),
    Event.Kind.NOT_RELEVANT: _("Things you called not relevant"),
    Event.Kind.DISMISS: _("Things you put aside"),
    Event.Kind.UNDO: _("Things you called relevant again"),
}
_PROFILE = _("Your region and age group")
_HELD = _("Kept on, because we have to. It is not used meanwhile.")


def about(person: DataSubject) -> list[dict[str, Any]]:
    """Return each kind of data, how much there is, since when, and until when at the latest."""
    return list(_rows(person))


def _rows(person: DataSubject) -> Iterator[dict[str, Any]]:
    found = kept_until.of_person(person)
    for kind, label in [*_KINDS.items(), ("", _PROFILE)]:
        if of_kind := [each for each in found if each.stored.kind == kind]:
            yield {
                "label": label,
                "count": sum(each.stored.rows for each in of_kind),
                "since": min(each.stored.oldest for each in of_kind),
                "until": _until(kept_until.latest(of_kind)),
            }


def _until(kept: Kept) -> Text:
    if kept.is_held:
        return _HELD
    if kept.last is None:
        return _without_end(kept)
    day = {"day": date_format(kept.last, "j F Y")}
    if kept.by is not None and kept.by.is_legal_minimum:
        return _("%(day)s, because a law requires it") % day
    return _("%(day)s at the latest") % day


def _without_end(kept: Kept) -> Text:
    if kept.stored.purpose:
        return _("Until you turn off what it is used for")
    return _("As long as your choices are kept")
