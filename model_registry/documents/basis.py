"""What an assessment was made over: purposes with their data and recipients, and the most personal level.

An assessment is of these facts. When one of them changes, it is out of date and has to be made again.
"""

from typing import Any

from common.canonical import digest_of
from consent.models import Purpose
from model_registry.models import ModelVersion


def facts(version: ModelVersion) -> dict[str, Any]:
    """Return the facts of a version that an assessment is about."""
    purposes = version.purposes.order_by("slug")
    return {"max_level": version.max_level, "purposes": [_purpose(each) for each in purposes]}


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
