"""Change the catalogue: items put, changed and removed in one transaction, each with an answer of its own.

Writers take turns by one lock, so two of them cannot add the same item at once or wait for each other in a circle.
What is said twice is done once: an item that is as stated already is ``unchanged``, and no event of the audit trail.

A removed item goes at once from all lists, keeps its title where a person's own data name it, and is deleted for good
by ``forget_removed`` once no event is about it. The general list loses it; models that learnt from it leave it out, and
the next training does not know it any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from audit import trail
from common.actors import Officer
from common.http.problems import InvalidRequest, NotFound, Problem
from personalization.catalogue.models import Item
from personalization.models import Event, EventCount, PopularItem

_LOCK = 0x6974656D  # "item"
# Columns that a writer states, with what a new item has.
DEFAULTS: Mapping[str, Any] = {
    "title": "",
    "description": "",
    "categories": [],
    "is_active": True,
    "creator": "",
    "price": None,
    "currency": "",
    "stock": None,
    "is_editorial": False,
    "is_promoted": False,
    "min_age": None,
    "legal_flags": [],
    "restricted_regions": [],
}
_WRITTEN = (*DEFAULTS, "keeper", "removed_at")
# The trail says what these were and are; of all others only that they changed.
_LEGAL = ("is_active", "is_promoted", "min_age", "legal_flags", "restricted_regions")
# A removed item may be named again by a request that was read just before.
_KEPT_FOR = timedelta(days=1)

Outcome = Literal["created", "changed", "unchanged", "removed", "absent"]


class ItemMissing(NotFound):
    code = "item_missing"
    title = "There is no such item in the catalogue"


class TitleMissing(InvalidRequest):
    code = "title_missing"
    title = "A new item needs a title"


class ItemOfAnother(Problem):
    status = 403
    code = "item_of_another"
    title = "The item is another service's"


@dataclass(frozen=True)
class Change:
    """What a writer asks of one item. ``stated``: columns with their values; all others stay as they are.

    ``put`` adds the item where there is none, ``change`` does not, ``remove`` states nothing.
    """

    item: str
    action: Literal["put", "change", "remove"]
    stated: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What became of one change."""

    outcome: Outcome
    item: Item | None = None


Answer = Done | Problem


@transaction.atomic
def write(
    changes: Sequence[Change], *, actor: str, service: str | None, keeps: bool = True, dry_run: bool = False
) -> list[Answer]:
    """Carry out changes of different items; with ``dry_run`` only say what they would do.

    ``service``: who may touch its own items only; None may touch all. ``keeps``: what it adds is its own.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    found = Item.objects.select_for_update().in_bulk([change.item for change in changes])
    writer = _Writer(actor, service, keeps)
    answers = [writer.carry_out(change, found.get(change.item)) for change in changes]
    if not dry_run:
        writer.save()
    return answers


def write_all(changes: Sequence[Change], *, actor: str, service: str | None, keeps: bool = True) -> list[Done]:
    """Carry out all changes or none. Raises the first problem."""
    done: list[Done] = []
    with transaction.atomic():
        for answer in write(changes, actor=actor, service=service, keeps=keeps):
            if isinstance(answer, Problem):
                raise answer
            done.append(answer)
    return done


def forget_removed() -> int:
    """Delete removed items that no event, count or list is about any more; return how many."""
    about = [Exists(model.objects.filter(item=OuterRef("pk"))) for model in (Event, EventCount, PopularItem)]
    gone = Item.objects.filter(*(~each for each in about), removed_at__lt=timezone.now() - _KEPT_FOR)
    return gone.delete()[0]


class _Writer:
    """Changes of one transaction: what to save of them, and what to say in the trail."""

    def __init__(self, actor: str, service: str | None, keeps: bool) -> None:
        self._actor, self._service, self._now = actor, service, timezone.now()
        self._keeper = service if service and keeps else ""
        self._rows: list[Item] = []
        self._events: list[dict[str, Any]] = []
        self._gone: list[str] = []

    def carry_out(self, change: Change, row: Item | None) -> Answer:
        if row is not None and row.keeper and self._service is not None and row.keeper != self._service:
            return ItemOfAnother("Only the service that brought the item, or an officer, may change it.")
        is_there = row is not None and row.removed_at is None
        if change.action == "remove":
            return self._remove(row) if row is not None and is_there else Done("absent")
        if row is not None and is_there:
            return self._change(row, change.stated)
        if change.action == "change":
            return ItemMissing("Put the item into the catalogue first.")
        return self._create(change)

    def save(self) -> None:
        if self._gone:
            PopularItem.objects.filter(item__in=self._gone).delete()
        if self._rows:
            Item.objects.bulk_create(
                self._rows, update_conflicts=True, unique_fields=["slug"], update_fields=list(_WRITTEN)
            )
        trail.record_prepared(self._events)

    def _create(self, change: Change) -> Answer:
        if not change.stated.get("title"):
            return TitleMissing("State a title: there is no such item yet.")
        row = Item(slug=change.item, **{**_fresh(), "keeper": self._keeper, **change.stated})
        self._rows.append(row)
        self._note("item.created", row, _legal(row))
        return Done("created", row)

    def _change(self, row: Item, stated: Mapping[str, Any]) -> Answer:
        changed = sorted(name for name, value in stated.items() if getattr(row, name) != value)
        if not changed:
            return Done("unchanged", row)
        before = _legal(row)
        for name in changed:
            setattr(row, name, stated[name])
        self._rows.append(row)
        # A figure of the business, which changes with every order.
        if changed != ["stock"] or isinstance(self._actor, Officer):
            self._note("item.changed", row, _difference(changed, before, row))
        return Done("changed", row)

    def _remove(self, row: Item) -> Answer:
        before = _legal(row)
        for name, value in {**_fresh(), "title": row.title, "is_active": False, "removed_at": self._now}.items():
            setattr(row, name, value)
        self._rows.append(row)
        self._gone.append(row.pk)
        self._note("item.removed", row, before)
        return Done("removed", row)

    def _note(self, action: str, row: Item, details: Mapping[str, Any]) -> None:
        event = trail.prepare(action, f"item:{row.pk}", actor=self._actor, at=self._now, details=details)
        self._events.append(event)


def _fresh() -> dict[str, Any]:
    return {name: list(value) if isinstance(value, list) else value for name, value in DEFAULTS.items()}


def _legal(row: Item) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _LEGAL}


def _difference(changed: Iterable[str], before: Mapping[str, Any], row: Item) -> dict[str, Any]:
    """Return what the trail says of a change; ``before``: the legal members as they were."""
    after = {name: value for name, value in _legal(row).items() if value != before[name]}
    was = {name: before[name] for name in after}
    return {"members": sorted(changed), **({"before": was, "after": after} if after else {})}
