"""Load a revision for a process: read once, checked, and kept as long as it may be asked for."""

import json
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from hashlib import blake2b
from typing import Any
from uuid import UUID

from common.rollouts.shares import are_in_share
from common.waiting import no_wait
from consent.register.terms import EVERYTHING, Beyond, Coverage, beyond
from policies.bundles.packages import Package, read_register
from policies.models import (
    Bundle,
)

_KEPT = 8  # during a rollout each change of the registers makes two


class BundleMissing(Exception):
    """Absence of a revision from the database."""


@dataclass(frozen=True)
class Borrowed:
    """What a purpose says beyond a yes to a broader one: beyond its register's words, and beyond older versions."""

    beyond: Beyond | None
    by_version: Mapping[int, Beyond | None]

    def of(self, version: int) -> Beyond | None:
        return self.by_version.get(version, self.beyond)


@dataclass(frozen=True)
class Canary:
    """Version of a model that serves a share of the people next to the live one."""

    share: int
    rollout: int

    def serves(self, people: Collection[UUID]) -> bool:
        """Return whether these people are in its share; of no people, only at the full share."""
        return are_in_share(people, share=self.share, salt=b"model" + self.rollout.to_bytes(8, "big"))


@dataclass(frozen=True)
class PurposeFacts:
    """A purpose as facts need it, computed once per bundle.

    ``beyond`` holds the notice versions that the register says more than, and what; it is empty unless a purpose was
    widened. ``borrowed`` holds the same of a yes to each broader purpose.
    """

    legal_basis: str
    ancestors: tuple[str, ...]
    required_notice: int
    data_categories: frozenset[str] = frozenset()
    beyond: Mapping[int, Beyond] = field(default_factory=dict)
    borrowed: Mapping[str, Borrowed] = field(default_factory=dict)


@dataclass(frozen=True)
class LoadedBundle:
    """A loaded revision. ``data_json`` is the data root of the engine, the revision included."""

    revision: str
    policies: dict[str, str]
    data: dict[str, Any]
    data_json: str
    purposes: dict[str, PurposeFacts]
    categories: frozenset[str]
    sensitive: frozenset[str]
    recipients: frozenset[str]
    instrument_ends: tuple[tuple[str, float], ...]  # (slug, epoch seconds), the ones that end at all
    # Epoch seconds from which on a model version has failed its gates, by its name; the ones that end at all.
    gate_ends: Mapping[str, float] = field(default_factory=dict)
    canaries: Mapping[str, Canary] = field(default_factory=dict)  # by the name of the version
    # Rules of review that are about a sample: slug, share in ten-thousandths, and the salt of its places.
    review_samples: tuple[tuple[str, int, bytes], ...] = ()
    # Rules of display with a first or a last day: slug, and the epoch seconds between which they are in force.
    display_times: tuple[tuple[str, float | None, float | None], ...] = ()
    packages: dict[str, Package] = field(default_factory=dict)  # by resource type; all others are the consent package's

    def ranking(self, purpose: str) -> Mapping[str, Any]:
        """Return the rule of ranking of a purpose; empty without one, and in revisions of older releases."""
        rule: Mapping[str, Any] = self.data.get("ranking", {}).get(purpose, {})
        return rule


_loaded: dict[str, LoadedBundle] = {}
_loading = threading.Lock()


def loaded(revision: str) -> LoadedBundle:
    """Return the revision as this process holds it; read from the database once. Raises BundleMissing."""
    bundle = _loaded.get(revision)
    if bundle is None:
        no_wait.refuse()
        with _loading:
            bundle = _loaded.get(revision) or _load(revision)
            _loaded[revision] = bundle
            for old in list(_loaded)[:-_KEPT]:
                del _loaded[old]
    return bundle


def usable(revision: str | None) -> LoadedBundle | None:
    """Return the revision, or None: a bundle that cannot be read or parsed is a bundle that is missing."""
    try:
        return loaded(revision) if revision else None
    except Exception:  # noqa: BLE001
        return None


def _load(revision: str) -> LoadedBundle:
    row = Bundle.objects.filter(revision=revision).values_list("policies", "data").first()
    if row is None:
        raise BundleMissing(revision)
    return load(revision, *row)


def load(revision: str, policies: dict[str, str], data_text: str) -> LoadedBundle:
    data = {**json.loads(data_text), "revision": revision}
    purposes = data["purposes"]
    sensitive = frozenset(data["sensitive_categories"])
    return LoadedBundle(
        revision=revision,
        policies=policies,
        data=data,
        data_json=json.dumps(data),
        purposes={slug: _facts(p, purposes) for slug, p in purposes.items()},
        categories=sensitive.union(*(p["data_categories"] for p in purposes.values())),
        sensitive=sensitive,
        recipients=frozenset().union(*(p["recipients"] for p in purposes.values())),
        instrument_ends=tuple(
            (slug, datetime.fromisoformat(instrument["valid_until"]).timestamp())
            for slug, instrument in sorted(data["residency"]["instruments"].items())
            if instrument["valid_until"]
        ),
        gate_ends={
            name: datetime.fromisoformat(model["gates_until"]).timestamp()
            for name, model in data.get("models", {}).items()
            if model.get("gates_until")
        },
        canaries={
            name: Canary(**model["canary"]) for name, model in data.get("models", {}).items() if "canary" in model
        },
        review_samples=_samples(data.get("human_review", {})),
        display_times=_display_times(data.get("display_rules", {})),
        packages=read_register(data),
    )


def _samples(rules: dict[str, Any]) -> tuple[tuple[str, int, bytes], ...]:
    """Return the rules of review that are not about everybody."""
    return tuple(
        (slug, rule["share"] * 100, blake2b(b"review " + slug.encode(), digest_size=16).digest())
        for slug, rule in sorted(rules.items())
        if rule["share"] < 100
    )


_DAYS_BEGIN, _DAYS_END = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))  # where on Earth


def _display_times(rules: dict[str, Any]) -> tuple[tuple[str, float | None, float | None], ...]:
    """Return when rules of display are in force, of those that are not always."""
    return tuple(
        (slug, _midnight(rule["from"], _DAYS_BEGIN), _midnight(rule["until"], _DAYS_END, after=1))
        for slug, rule in sorted(rules.items())
        if rule["from"] or rule["until"]
    )


def _midnight(day: str | None, zone: timezone, *, after: int = 0) -> float | None:
    if day is None:
        return None
    return datetime.combine(date.fromisoformat(day) + timedelta(days=after), time(), zone).timestamp()


def _facts(purpose: dict[str, Any], purposes: dict[str, Any]) -> PurposeFacts:
    said, ancestors = Coverage.read(purpose), tuple(purpose["parents"])
    own = {version: beyond(said, agreed) for version, agreed in _agreed(purpose)}
    lending = purpose.get("lending", ancestors)
    return PurposeFacts(
        legal_basis=purpose["legal_basis"],
        ancestors=ancestors,
        required_notice=purpose["required_notice"],
        data_categories=said.data_categories,
        beyond={version: more for version, more in own.items() if more},
        borrowed={slug: _borrowed(said, purposes.get(slug), slug in lending) for slug in ancestors},
    )


def _borrowed(said: Coverage, broader: dict[str, Any] | None, is_lending: bool) -> Borrowed:
    if broader is None or not is_lending:
        return Borrowed(EVERYTHING, {})
    return Borrowed(
        beyond(said, Coverage.read(broader)), {version: beyond(said, agreed) for version, agreed in _agreed(broader)}
    )


def _agreed(purpose: dict[str, Any]) -> list[tuple[int, Coverage]]:
    return [(int(version), Coverage.read(agreed)) for version, agreed in purpose.get("agreed", {}).items()]
