"""Story of what may be shown and asked: alcohol and a minor, a promotion again and again, a price for one person."""

from decimal import Decimal
from typing import Any

from consent.pseudonyms import subject_ref
from governance.demo.client import ServiceClient
from governance.demo.narrator import Narrator
from governance.demo.shop_rules.rules import MOST_BELOW, MOST_SHOWN, PRICING
from personalization.models import Item, Showing

_Body = dict[str, Any]


def tell(person: _Body, region: str, service: ServiceClient, narrator: Narrator) -> None:
    """Run the steps for a person who agreed to recommendations, where the catalogue has prices."""
    if not Item.objects.filter(price__isnull=False, is_active=True).exists():
        return
    _alcohol(person, region, service, narrator)
    _promotion(person, service, narrator)
    _price(person, service, narrator)


def _ranked(who: _Body, items: list[str], service: ServiceClient) -> list[dict[str, Any]]:
    body = {"subject": who, "candidates": items, "count": len(items)}
    found: list[dict[str, Any]] = service.post("/api/v1/recommendations", body).document["items"]
    return found


def _alcohol(person: _Body, region: str, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("A rule of display: no alcohol for a minor")
    drinks = list(Item.objects.filter(legal_flags__contains=["alcohol"]).values_list("slug", flat=True))
    minor = {"id": f"{person['id']}-child", "region": region, "age_band": "minor"}
    choices = [{"purpose": "recommendations", "choice": "refuse"}]
    service.post("/api/v1/consents", {"subject": minor, "choices": choices}, Idempotency_Key=f"story-{minor['id']}")
    narrator.asks(f"rank these {len(drinks)} drinks, which the catalogue marks as alcohol")
    shown = {"adult": _ranked(person, drinks, service), "minor": _ranked({"id": minor["id"]}, drinks, service)}
    for name, items in shown.items():
        narrator.says(name, ", ".join(item["title"] for item in items) or "none of them")
    narrator.must("the adult is shown all of them", len(shown["adult"]) == len(drinks) > 0)
    narrator.must("the minor is shown none", shown["minor"] == [])


def _promotion(person: _Body, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("A frequency cap: a promotion at most twice a week")
    seen = Showing.objects.filter(subject_ref=subject_ref(person["id"])).values("item")
    promoted = Item.objects.filter(is_promoted=True, is_active=True).exclude(pk__in=seen)
    ads = list(promoted.values_list("slug", flat=True)[:1])
    narrator.asks(f"rank a promoted item, {MOST_SHOWN + 1} times")
    times = [_ranked(person, ads, service) for _ in range(MOST_SHOWN + 1)]
    for number, items in enumerate(times, start=1):
        narrator.says(f"time {number}", items[0]["why"] if items else "not shown any more")
    narrator.must("it is marked as advertising", all(item["advertising"] for items in times for item in items))
    narrator.must("it is shown twice and not again", [len(items) for items in times] == [1] * MOST_SHOWN + [0])


def _price(person: _Body, service: ServiceClient, narrator: Narrator) -> None:
    narrator.step("A price that was made for one person, within bounds")
    item = Item.objects.filter(price__gt=10, is_active=True).order_by("slug")[0]
    price = item.price or Decimal(0)
    narrator.asks(f"may {item.title}, list price {price} {item.currency}, cost this person half?")
    before = _asked(person, item, service)
    narrator.says("answer", f"{before['price']['amount']}, as everybody pays")
    narrator.must("without consent it is the list price", before["price"] == before["list_price"])
    choices = [{"purpose": PRICING, "choice": "give"}]
    service.post(
        "/api/v1/consents", {"subject": person, "choices": choices}, Idempotency_Key=f"story-price-{person['id']}"
    )
    after = _asked(person, item, service)
    narrator.says("answer", f"{after['price']['amount']}, once the person agreed")
    narrator.says("disclosed", (after["disclosure"] or {}).get("text", "nothing"))
    lowest = price * (100 - MOST_BELOW) / 100
    paid = Decimal(after["price"]["amount"])
    narrator.must(f"it is at most {MOST_BELOW} per cent lower", lowest <= paid < lowest + Decimal("0.01"))
    narrator.must("and says that it was made for the person", after["disclosure"] is not None)


def _asked(person: _Body, item: Item, service: ServiceClient) -> dict[str, Any]:
    half = f"{(item.price or Decimal(0)) / 2:.2f}"
    body = {"subject": person, "items": [{"item": item.slug, "amount": half}]}
    found: dict[str, Any] = service.post("/api/v1/prices", body).document["items"][0]
    return found
