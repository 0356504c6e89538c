"""Region and age band of a known person: a service may make them stricter, never laxer (docs/decisions/0024)."""

from dataclasses import replace

from consent.ledger.choices import Request, Subject
from consent.register.jurisdictions import laxer_fields, match

REGION_KEPT, AGE_BAND_KEPT = "region_kept", "age_band_kept"
_AGES = {"unknown": 0, "adult": 0, "minor": 1, "child": 2}


def settle(request: Request, subject: Subject) -> tuple[Request, list[str]]:
    """Return the request with what counts of it, and a warning for each value of the register that was kept.

    A guardian's word counts, and the person's own.
    """
    if not subject.revision or request.guardian is not None or request.actor == "subject":
        return request, []
    kept = []
    if is_younger(subject.age_band, request.age_band):
        request = replace(request, age_band=None)
        kept.append(AGE_BAND_KEPT)
    if is_laxer(request.region, subject.region):
        request = replace(request, region=None)
        kept.append(REGION_KEPT)
    return request, kept


def is_younger(stored: str, stated: str | None) -> bool:
    """Return whether who is stored is younger than stated."""
    return stated is not None and _AGES.get(stated, 0) < _AGES.get(stored, 0)


def is_laxer(stated: str | None, stored: str) -> bool:
    """Return whether a region's law protects less. Of two laws that differ, the one that asks first is the stricter."""
    if stated is None or not stored:
        return False
    new, old = match(stated).pack, match(stored).pack
    asks_first = "consent_default" in laxer_fields(old, new)
    return new.slug != old.slug and not asks_first and bool(laxer_fields(new, old))
