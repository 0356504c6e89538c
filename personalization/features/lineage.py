"""Lineage on a version's page: from events to features, their purpose and owner, and how many people had a value.

The freshness objective is judged by the newest of these events (``personalization.monitors``).
"""

from collections.abc import Mapping
from typing import Any

from common.admin_pages.display import grid
from model_registry.models import ModelVersion
from model_registry.pages.panels import Panel
from personalization.features import definitions
from personalization.features.models import Feature
from personalization.models import Event, TrainingReference

_HOUR_S = 3_600


def _drawn(version: ModelVersion) -> str:
    reference = TrainingReference.objects.filter(version=version).first()
    if reference is None or not reference.features:
        return ""
    in_use = {(each.name, each.version) for each in definitions.in_force(reference.features[0]["purpose"])}
    titles = ["Feature", "Made of", "Over", "Purpose", "Owner", "Events at most", "Without a value", "State"]
    return grid(titles, (_row(each, in_use) for each in reference.features))


def _row(feature: Mapping[str, Any], in_use: set[tuple[str, int]]) -> tuple[object, ...]:
    kinds = ", ".join(str(Event.Kind(kind).label) for kind in feature["events"])
    days = feature["window_days"]
    return (
        f"{feature['name']}, version {feature['version']}",
        f"{Feature.Kind(feature['kind']).label}: {kinds}",
        f"{days} days" if days else "everything before",
        feature["purpose"],
        feature["owner"],
        f"{feature['freshness_s'] // _HOUR_S} hours old",
        f"{feature['missing']:,} of {feature['people']:,} people",
        "In use" if (feature["name"], feature["version"]) in in_use else "Replaced since",
    )


LINEAGE = Panel("Features: from events to this version", _drawn, order=15)
