"""Made-up people, as the form of the playground gives them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
from django.conf import settings
from django.db.models import Max

from consent.ledger.projection import ConsentEntry
from consent.models import Notice
from personalization import events
from personalization.models import Event
from personalization.recommender.interactions import Interaction
from personalization.rules import hidden
from personalization.rules.hidden import Viewer
from personalization.serving.reading import History
from policies.decisions import information
from policies.decisions.information import Information
from policies.decisions.questions import Question

NEVER_ASKED, VISITOR = "never_asked", "visitor"
CHOICES = {
    "given": "Allowed it",
    "refused": "Refused it",
    "withdrawn": "Withdrew it",
    "objected": "Objected",
    NEVER_ASKED: "Was never asked",
    VISITOR: "None: a visitor without a record",
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
    group: str = ""  # by their own data, as a training forms them
    deeds: tuple[Deed, ...] = field(default_factory=tuple)

    @property
    def is_visitor(self) -> bool:
        return self.choice == VISITOR

    def information(self) -> Information:
        """Return what the decision path would know of such a person, over the revision in force. Two statements.

        Of a visitor nothing is known. Raises InformationUnavailable.
        """
        nothing = information.read(information.NO_SUBJECT)
        if self.is_visitor:
            return nothing
        is_known = self.choice != NEVER_ASKED
        return msgspec.structs.replace(
            nothing,
            subject_revision=1 if is_known else None,
            region=self.region,
            age_band=self.age_band,
            gpc=self.gpc,
            consents={self.purpose: self._entry()} if is_known else {},
        )

    def viewer(self, known: Information) -> Viewer:
        """Return the person as far as what is hidden depends on them."""
        region, age_band = self._stated
        return hidden.viewer(known, purpose=self.purpose, region=region, age_band=age_band)

    def question(
        self, level: str, *, model: str | None, segment_size: int | None, counted: tuple[str, ...] = ()
    ) -> Question:
        """Return the question whether a list of a level may be made; a visitor's says of itself where they are.

        ``counted``: data that caps need.
        """
        region, age_band = self._stated
        return Question(
            subject_ref=information.NO_SUBJECT,
            is_visitor=self.is_visitor,
            action="personalize",
            purpose=self.purpose,
            requested_level=level,
            data_categories=("views",) if self.is_visitor else ("purchases", "ratings", "views", *counted),
            model=model,
            processing_region=settings.PROCESSING_REGION,
            gpc=self.gpc,
            segment_size=segment_size,
            region=region,
            age_band=age_band,
        )

    @property
    def _stated(self) -> tuple[str | None, str | None]:
        """Return the region and age band that a visitor's request states; those of others are in the register."""
        return (self.region or None, self.age_band) if self.is_visitor else (None, None)

    def _entry(self) -> ConsentEntry:
        """Return their answer, to the newest notice."""
        notice = Notice.objects.filter(purpose__slug=self.purpose).aggregate(newest=Max("version"))["newest"] or 0
        return {"s": self.choice, "n": notice, "x": None, "e": False, "r": "", "src": "api", "lv": self.most}

    def history(self, excluded: Iterable[str]) -> History:
        """Return what a level may use of the deeds before this visit, without kinds of data that are excluded.

        Of a visitor nothing is kept.
        """
        if self.is_visitor:
            return History()
        before = [deed for deed in self._usable(excluded) if not deed.is_now]
        return History.of((deed.item, deed.kind, events.weight_of(deed.kind, deed.value)) for deed in reversed(before))

    def session(self, excluded: Iterable[str]) -> list[Interaction]:
        """Return the items of this visit; everything done in a visit counts as a view."""
        if Event.CATEGORY[Event.Kind.VIEW] in excluded:
            return []
        return [Interaction(deed.item) for deed in self.deeds if deed.is_now]

    def _usable(self, excluded: Iterable[str]) -> Iterator[Deed]:
        return (deed for deed in self.deeds if Event.CATEGORY[Event.Kind(deed.kind)] not in excluded)
