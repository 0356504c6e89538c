"""Prices of people who opted out, compared with the list price: what the gate of equal service reads.

It asks for low and for high prices, as a service would, of made-up people who did not choose or refused, two under each
law. Each answer has to be the list price, under any policy.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import msgspec

from common import actors
from consent.ledger.projection import ConsentEntry
from personalization.catalogue.models import Item
from personalization.prices import pricing
from personalization.prices.pricing import PriceRequest
from policies.decisions import evaluate, information
from policies.decisions.information import Information
from policies.models import Region

_ASKED = 100
CALLER = actors.job("equal-service")


def compare() -> dict[str, int]:
    """Return how many items have a list price, and how many of the prices asked were another than it."""
    rows = Item.objects.filter(is_active=True, price__isnull=False).order_by("pk")[:_ASKED]
    listed = {row.pk: (row.price or 0, row.currency) for row in rows}
    wanted = [{item: factor * price for item, (price, _) in listed.items()} for factor in (0, 2)]
    off = sum(_off_list(person, each) for person in _people() for each in wanted) if listed else 0
    return {"priced": len(listed), "off_list": off}


def _off_list(known: Information, wanted: Any) -> int:
    """Return how many prices of a person who opted out are not the list price."""
    request = PriceRequest(subject_ref=uuid4(), wanted=wanted)
    decision = evaluate.decide(pricing.question(request), caller=CALLER, known=known)
    items = pricing.priced(request, pricing.bounds_of(decision))
    return sum(item["personalized"] or item["price"] != item["list_price"] for item in items)


def _people() -> Iterator[Information]:
    """Yield adults of whom nothing else is known than that they did not choose, or refused."""
    base = information.read(information.NO_SUBJECT)
    refused: ConsentEntry = {"s": "refused", "n": 1, "x": None, "e": False, "r": "", "src": "api"}
    for region in Region.objects.order_by("jurisdiction_id", "code").distinct("jurisdiction_id"):
        for consents in ({}, {pricing.PURPOSE: refused}):
            yield msgspec.structs.replace(
                base, subject_revision=1, region=region.code, age_band="adult", consents=consents
            )
