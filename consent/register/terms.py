"""What an agreement covers: the terms of a notice version, and what a register says beyond them.

A yes is a yes to the terms of the version that was shown. They are frozen in ``NoticeTerms`` when the version is
published; a register that says more later does not stretch them, and one that says less counts as well.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Max, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from common.levels import LEVELS
from consent.models import Notice, NoticeTerms, Purpose

_LISTS = ("data_categories", "recipients", "channels", "actions")
_WORDS = {"data_categories": "kinds of data", "recipients": "recipients", "channels": "channels", "actions": "actions"}


@dataclass(frozen=True)
class Coverage:
    """What a question can be about. ``Mapping``s that are read may lack any member: what is absent is not covered."""

    data_categories: frozenset[str] = frozenset()
    recipients: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    max_level: str = "none"

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Read the members of a purpose in a bundle, or of terms."""
        lists = {name: frozenset(values.get(name) or ()) for name in _LISTS}
        return cls(**lists, max_level=values.get("max_level", "none"))

    def document(self) -> dict[str, Any]:
        """Return the members as a bundle has them."""
        return {**{name: sorted(getattr(self, name)) for name in _LISTS}, "max_level": self.max_level}

    def within(self, other: "Coverage") -> "Coverage":
        """Return what both cover."""
        lists = {name: getattr(self, name) & getattr(other, name) for name in _LISTS}
        return Coverage(**lists, max_level=min(self.max_level, other.max_level, key=rank))


@dataclass(frozen=True)
class Terms(Coverage):
    """Terms of a notice version: the same, and what no question separates."""

    broader: str | None = None
    controller: str | None = None
    retention_days: int | None = None  # None: no schedule limits it

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Read the content of a row of ``NoticeTerms``."""
        covered = Coverage.read(values)
        return cls(
            **{name: getattr(covered, name) for name in _LISTS},
            max_level=covered.max_level,
            broader=values.get("broader"),
            controller=values.get("controller"),
            retention_days=values.get("retention_days"),
        )


@dataclass(frozen=True)
class Beyond:
    """What a register says beyond an agreement. ``max_level`` is the agreed level where the register's is higher."""

    data_categories: frozenset[str] = frozenset()
    recipients: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    max_level: str | None = None
    everything: bool = False  # nothing of it was agreed, as of a purpose that was put under a broader one since


EVERYTHING = Beyond(everything=True)


def rank(level: str) -> int:
    return LEVELS.get(level, 0)


def beyond(register: Coverage, agreed: Coverage) -> Beyond | None:
    """Return what ``register`` says beyond ``agreed``; None for nothing, which is so for nearly every agreement."""
    more = {name: getattr(register, name) - getattr(agreed, name) for name in _LISTS}
    is_lower = rank(agreed.max_level) < rank(register.max_level)
    if not is_lower and not any(more.values()):
        return None
    return Beyond(**more, max_level=agreed.max_level if is_lower else None)


def unanswered(beyond_version: Mapping[int, Beyond], agreed: int, declined: int | None) -> Beyond | None:
    """Return what the register says beyond an agreement and was not declined with the terms of a later version.

    What can be answered by itself is declined by itself; only actions and the level go with the whole.
    """
    more = beyond_version.get(agreed)
    if more is None or declined is None:
        return more
    later = beyond_version.get(declined, Beyond())
    level = more.max_level if later.max_level is not None else None
    return replace(more, actions=more.actions & later.actions, max_level=level)


def live(frozen: Mapping[int, Terms], notices: Mapping[str, int]) -> dict[int, Terms]:
    """Return the terms of the versions whose consents count; of one without terms nothing is known, so nothing."""
    return {version: frozen.get(version, Terms()) for version in range(notices["required"], notices["current"] + 1)}


def beyond_versions(register: Coverage, live_versions: Mapping[int, Terms]) -> dict[int, Beyond]:
    """Return the versions that ``register`` says more than, and what."""
    found = {version: beyond(register, agreed) for version, agreed in live_versions.items()}
    return {version: more for version, more in found.items() if more}


@dataclass(frozen=True)
class Finding:
    """A difference between two terms that the law calls material.

    ``is_separable``: a question can be about the new alone, so what was agreed stays permitted as it was. Any other
    asks everybody about everything, by a new version whose change is material.
    """

    field: str
    detail: str
    is_separable: bool


def material(before: Terms, after: Terms) -> list[Finding]:
    """Compare the terms people agreed to with what a register is to say; what only says less is no finding.

    A changed text is not here: whether it says more than the lists is for a second officer to say
    (``register.publish_notice``).
    """
    return [*_separable(before, after), *_inseparable(before, after)]


def _separable(before: Terms, after: Terms) -> Iterable[Finding]:
    for name in _LISTS:
        if more := sorted(getattr(after, name) - getattr(before, name)):
            yield Finding(name, f"New {_WORDS[name]}: {', '.join(more)}.", True)
    if rank(after.max_level) > rank(before.max_level):
        yield Finding("max_level", f"The level rises from {before.max_level} to {after.max_level}.", True)
    if after.broader is not None and after.broader != before.broader:
        detail = f"It becomes part of '{after.broader}', whose yes would count for it."
        yield Finding("broader", detail, True)


def _inseparable(before: Terms, after: Terms) -> Iterable[Finding]:
    if after.controller != before.controller and before.controller is not None:
        detail = f"Another controller: {after.controller or 'none'} instead of {before.controller}."
        yield Finding("controller", detail, False)
    if before.retention_days is not None and after.retention_days is None:
        yield Finding("retention_days", f"Kept without limit instead of {before.retention_days} days.", False)
    elif (after.retention_days or 0) > (before.retention_days or after.retention_days or 0):
        detail = f"Kept for {after.retention_days} days instead of {before.retention_days}."
        yield Finding("retention_days", detail, False)


def of_version(purpose: str, version: int) -> Terms:
    """Return the terms of a version; of one that has none nothing is known, so nothing is covered."""
    content = NoticeTerms.objects.filter(purpose=purpose, version=version).values_list("content", flat=True).first()
    return Terms.read(json.loads(content)) if content else Terms()


def with_terms(purposes: QuerySet[Purpose]) -> QuerySet[Purpose]:
    """Read the terms of every version along with the purposes, for ``frozen_of``."""
    rows = NoticeTerms.objects.filter(purpose=OuterRef("slug"))
    return purposes.annotate(frozen=ArraySubquery(rows.values(row=JSONObject(version="version", content="content"))))


def frozen_of(purpose: Purpose) -> dict[int, Terms]:
    """Return the terms of every version of a purpose: those that ``with_terms`` read, or by a statement of its own."""
    rows: Iterable[Mapping[str, Any]] = (
        vars(purpose)["frozen"]
        if "frozen" in vars(purpose)
        else NoticeTerms.objects.filter(purpose=purpose.slug).values("version", "content")
    )
    return {row["version"]: Terms.read(json.loads(row["content"])) for row in rows}


def of_versions() -> dict[str, dict[int, Terms]]:
    """Return the terms of every version of every purpose. One statement."""
    found: dict[str, dict[int, Terms]] = {}
    for purpose, version, content in NoticeTerms.objects.values_list("purpose", "version", "content"):
        found.setdefault(purpose, {})[version] = Terms.read(json.loads(content))
    return found


def of_register(purpose: Purpose) -> Terms:
    """Return the terms that a version published now would get: the database's own reading of the saved row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT assent_purpose_terms(p) FROM consent_purpose p WHERE id = %s", [purpose.pk])
        return Terms.read(json.loads(cursor.fetchone()[0]))


def of_registers() -> dict[str, Terms]:
    """Return what a version of each purpose published now would get. One statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT slug, assent_purpose_terms(p) FROM consent_purpose p")
        return {slug: Terms.read(json.loads(content)) for slug, content in cursor.fetchall()}


def newest_version(purpose: str) -> int:
    """Return the version that people are shown now; 0 before the first notice."""
    found = Notice.objects.filter(purpose__slug=purpose).aggregate(newest=Max("version"))
    return int(found["newest"] or 0)


def needs_new_version(purpose: Purpose) -> list[Finding]:
    """Return what a register says beyond its newest version: lint, as a widening is published with a notice.

    Until it is, nobody has agreed to what is new, and no decision permits it.
    """
    return material(of_version(purpose.slug, newest_version(purpose.slug)), of_register(purpose))
