"""Lint of residency, laws and systems as they stand in the database."""

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from common.registers.lint import Finding
from consent.models import DataCategory, Party, Purpose
from consent.register import jurisdictions
from policies.models import (
    Jurisdiction,
    ProcessingRegion,
    ProcessingSystem,
    Region,
    ResidencyRule,
    SensitiveCategory,
)
from policies.registers import lint_rules
from policies.registers.lint_rules import PartyPlace, Places, Rule

# Parties that are given data; a controller, an officer and an authority are not recipients of a transfer.
_GIVEN_DATA = (Party.Role.JOINT_CONTROLLER, Party.Role.PROCESSOR, Party.Role.RECIPIENT, Party.Role.THIRD_PARTY)


def check() -> Iterator[Finding]:
    """Find what is wrong with residency, laws and systems, in a fixed number of statements."""
    places, rules, now = read_places(), _rules(), timezone.now()
    kinds = set(DataCategory.objects.values_list("slug", flat=True))
    yield from lint_rules.dangling_groups(rules, places)
    yield from lint_rules.unserved_groups(rules, places)
    yield from lint_rules.ended_instruments(rules, now)
    yield from lint_rules.unknown_rule_data(rules, kinds)
    yield from lint_rules.unregistered_sensitive(SensitiveCategory.objects.values_list("slug", flat=True), kinds)
    yield from _systems(places, kinds)
    yield from lint_rules.unfounded_transfers(_recipients(), home=_home(places), places=places)
    yield from _laws(places)


def read_places() -> Places:
    return Places(
        people=dict(Region.objects.values_list("code", "group")),
        processing=dict(ProcessingRegion.objects.values_list("slug", "group")),
    )


def _rules() -> list[Rule]:
    rows = ResidencyRule.objects.select_related("instrument")
    return [
        Rule(
            slug=row.slug,
            people=row.subject_group,
            processing=row.processing_group,
            categories=tuple(row.data_categories),
            instrument=row.instrument.slug if row.instrument else "",
            ends=row.instrument.valid_until if row.instrument else None,
        )
        for row in rows
    ]


def _systems(places: Places, kinds: set[str]) -> Iterator[Finding]:
    purposes = set(Purpose.objects.values_list("slug", flat=True))
    known = {"subject_groups": places.people_groups, "data_categories": kinds, "purposes": purposes}
    for system in ProcessingSystem.objects.all():
        named = {field: getattr(system, field) for field in known}
        yield from lint_rules.unknown_system_names(system.name, named, known)


def _recipients() -> list[PartyPlace]:
    rows = Party.objects.filter(role__in=_GIVEN_DATA).values_list("slug", "country", "transfer_basis")
    return [PartyPlace(*row) for row in rows]


def _home(places: Places) -> str:
    """Return the residency group of the controller; without one, that of the region this installation runs in."""
    country = Party.objects.filter(role=Party.Role.CONTROLLER).values_list("country", flat=True).first()
    by_country = places.group_of(country) if country else ""
    return by_country or places.processing.get(settings.PROCESSING_REGION, "")


def _laws(places: Places) -> Iterator[Finding]:
    laws = Jurisdiction.objects.values_list("slug", flat=True)
    used = set(Region.objects.values_list("jurisdiction__slug", flat=True))
    yield from lint_rules.laws_without_regions(laws, used)
    for found in jurisdictions.lint(known_regions=places.people, today=timezone.now().date()):
        yield Finding(
            "jurisdiction", found.where, f"law_{found.kind}", found.detail, found.is_error, subject=found.detail
        )
