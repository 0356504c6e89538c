"""What an assessment was made over: purposes with their data and recipients, the most personal level, and regions.

An assessment is of these facts. When one of them changes, it is out of date and has to be made again. Regions are
where data is processed here, and the countries of recipients with what a transfer to them rests on; of an engine
elsewhere also the address at which it answers.
"""

from typing import Any

from django.conf import settings

from common.canonical import digest_of
from consent.models import Party, Purpose
from model_registry.models import ModelVersion


def facts(version: ModelVersion) -> dict[str, Any]:
    """Return the facts of a version that an assessment is about."""
    purposes = list(version.purposes.order_by("slug"))
    named = {slug for purpose in purposes for slug in purpose.recipients}
    return {
        "max_level": version.max_level,
        "purposes": [_purpose(each) for each in purposes],
        "region": settings.PROCESSING_REGION,
        **({"endpoint": version.endpoint} if version.endpoint else {}),
        "recipients": [
            [party.slug, party.country, party.transfer_basis]
            for party in Party.objects.filter(slug__in=named).order_by("slug")
        ],
    }


def _purpose(purpose: Purpose) -> dict[str, Any]:
    return {
        "slug": purpose.slug,
        "legal_basis": purpose.legal_basis,
        "max_level": purpose.max_level,
        "data_categories": sorted(purpose.data_categories),
        "recipients": sorted(purpose.recipients),
    }


def digest(version: ModelVersion) -> bytes:
    return digest_of(facts(version))
