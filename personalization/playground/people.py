"""Made-up people, as the form of the playground gives them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
from django.db.models import Max

from consent.ledger.projection import ConsentEntry
from consent.models import Notice
from personalization import events
from personalization.models import Event
from personalization.recommender.interactions import Interaction
from personalization.serving.reading import History
from policies.decisions import information
from policies.decisions.information import Information

NEVER_ASKED = "never_asked"
CHOICES = {
    "given": "Allowed it",
    "refused": "Refused it",
    "withdrawn": "Withdrew it",
    "objected": "Objected",
    NEVER_ASKED: "Was never asked",
}
"""What a made-up person has answered to the purpose."""


@dataclass(frozen=True)
class Deed:
    """Something a made-up person did; ``is_now``: in the visit under way. ``value``: stars, or seconds."""

    item: str
    kind: str
    value: int | None = None
    is_now: bool = False


@dataclass(frozen=True, kw_only=True)
class MadeUp:
    """A made-up person. ``deeds``: the oldest first. ``most``: the highest level they allow."""

    purpose: str
    region: str = ""
    age_band: str = "unknown"
    choice: str = "given"
    most: str = "individual"
    gpc: bool = False
    deeds: tuple[Deed, ...] = field(default_factory=tuple)

    def information(self) -> Information:
        """Return what the decision path would know of such a person, over the revision in force. Two statements.

        Raises InformationUnavailable.
        """
        is_known = self.choice != NEVER_ASKED
        return msgspec.structs.replace(
            information.read(information.NO_SUBJECT),
            subject_revision=1 if is_known else None,
            region=self.region,
            age_band=self.age_band,
            gpc=self.gpc,
            consents={self.purpose: self._entry()} if is_known else {},
        )

    def _entry(self) -> ConsentEntry:
        """Return their answer, to the newest notice."""
        notice = Notice.objects.filter(purpose__slug=self.purpose).aggregate(newest=Max("version"))["newest"] or 0
        return {"s": self.choice, "n": notice, "x": None, "e": False, "r": "", "src": "api", "lv": self.most}

    def history(self, excluded: Iterable[str]) -> History:
        """Return what a level may use of the deeds before this visit, without kinds of data that are excluded."""
        before = [deed for deed in self._usable(excluded) if not deed.is_now]
        return History.of((deed.item, deed.kind, events.weight_of(deed.kind, deed.value)) for deed in reversed(before))

    def session(self, excluded: Iterable[str]) -> list[Interaction]:
        """Return the items of this visit; a visit is views, whatever was done in it."""
        if Event.CATEGORY[Event.Kind.VIEW] in excluded:
            return []
        return [Interaction(deed.item) for deed in self.deeds if deed.is_now]

    def _usable(self, excluded: Iterable[str]) -> Iterator[Deed]:
        return (deed for deed in self.deeds if Event.CATEGORY[Event.Kind(deed.kind)] not in excluded)
