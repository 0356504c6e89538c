"""Correction of what is known of a person apart from their choices: region and age band (GDPR Article 16).

The trail keeps what it was and what it became: that is the receipt of the correction.
"""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import trail
from consent import residence
from consent.ledger import person_facts, sealed_people
from consent.models import DataSubject

CORRECTED = "person.corrected"
ITEMS = ("region", "age_band")


def lowers_protection(ref: UUID, wanted: Mapping[str, str]) -> bool:
    """Return whether a correction would put a person under a law that protects less, or make them older."""
    person = DataSubject.objects.get(ref=ref)
    return person_facts.is_younger(person.age_band, wanted.get("age_band")) or person_facts.is_laxer(
        wanted.get("region"), person.region
    )


def is_as_wanted(ref: UUID, wanted: Mapping[str, str]) -> bool:
    """Return whether the person's row says what was asked for; an erased or unknown person's says nothing."""
    person = DataSubject.objects.filter(ref=ref).first()
    if person is None or person.is_erased:
        return False
    return all(getattr(person, item) == value for item, value in wanted.items())


@transaction.atomic
def correct(ref: UUID, wanted: Mapping[str, str], *, actor: str, request: str) -> bool:
    """Write a correction and its event; return whether there is a person to correct. Raises for another cell's region.

    The choices stay as they are; the next decision reads the corrected row.
    """
    person = DataSubject.objects.select_for_update().filter(ref=ref).first()
    if person is None or person.is_erased:
        return False
    before = {item: getattr(person, item) for item in ITEMS}
    after = {**before, **{item: wanted[item] for item in ITEMS if item in wanted}}
    if after["region"] != before["region"]:
        residence.check(after["region"], known=True)
    person.region, person.age_band, person.updated_at = after["region"], after["age_band"], timezone.now()
    person.save(update_fields=["region", "age_band", "updated_at"])
    said = sealed_people.member(person.region, person.age_band)
    trail.record(CORRECTED, str(ref), actor=actor, details={**said, "before": before, "request": request})
    return True
