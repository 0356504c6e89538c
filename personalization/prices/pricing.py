"""Prices as they are answered: one decision a request, then every price within its bounds, or the list price.

Who does not agree, is a minor, or cannot be asked about has the list price, as everybody else has: it is read from the
catalogue and from nothing about a person. A price that was made for a person says so in words (Directive 2011/83/EU,
Article 6(1)(ea)).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from consent.signals import NO_SIGNALS, Signals
from personalization.catalogue.models import Item
from personalization.prices.bounds import Bounds
from personalization.rules import masked as masking
from personalization.serving import wording
from policies.decisions import evaluate
from policies.decisions.evaluate import Decision
from policies.decisions.questions import Question

PURPOSE = "personal_pricing"
DISCLOSURE = "personalized_price"
_FULFILLED = frozenset({"price_bounds", "disclose_personal_price", "log_transfer", masking.DUTY})


@dataclass(frozen=True, kw_only=True)
class PriceRequest:
    """A service's request: the prices that it wants to ask of one person, by item."""

    subject_ref: UUID
    wanted: Mapping[str, Decimal]
    purpose: str = PURPOSE
    data_categories: tuple[str, ...] = ("purchases",)
    signals: Signals = NO_SIGNALS
    region: str | None = None
    processing_region: str | None = None


def answer(request: PriceRequest, *, caller: str) -> dict[str, Any]:
    """Return the prices of a request as a document. Raises SpoolFull."""
    decision = evaluate.decide(question(request), caller=caller)
    bounds = bounds_of(decision)
    return {
        "decision_id": decision.id,
        "reasons": wording.decided(decision),
        "personalized": bounds.is_open,
        "items": masking.without(priced(request, bounds), masking.by_verdict(decision.rendered)),
    }


def priced(request: PriceRequest, bounds: Bounds) -> list[dict[str, Any]]:
    """Return the prices of a request within bounds. One statement."""
    listed = list_prices(list(request.wanted))
    return [_priced(item, wanted, listed.get(item), bounds) for item, wanted in request.wanted.items()]


def bounds_of(decision: Decision) -> Bounds:
    """Return how far prices may differ from the list price; a duty that is not known here permits nothing."""
    duties = decision.rendered.verdict.obligations
    is_kept = all(duty.type in _FULFILLED and masking.is_understood(duty) for duty in duties)
    if not (decision.permitted and is_kept):
        return Bounds()
    return Bounds.of(duty.properties for duty in duties if duty.type == "price_bounds")


def list_prices(items: Sequence[str]) -> dict[str, tuple[Decimal, str]]:
    """Return the list prices of items that are offered and have one, with their currencies. One statement."""
    rows = Item.objects.filter(pk__in=items, is_active=True).values_list("pk", "price", "currency")
    return {item: (price, currency) for item, price, currency in rows if price is not None}


def _priced(item: str, wanted: Decimal, listed: tuple[Decimal, str] | None, bounds: Bounds) -> dict[str, Any]:
    if listed is None:
        return {"item": item, "price": None, "list_price": None, "personalized": False, "disclosure": None}
    price, currency = listed
    kept = bounds.keep(wanted, price)
    return {
        "item": item,
        "price": _money(kept, currency),
        "list_price": _money(price, currency),
        "personalized": bounds.is_open,
        "disclosure": _disclosed() if bounds.is_open else None,
    }


def _money(amount: Decimal, currency: str) -> dict[str, str]:
    return {"amount": f"{amount:.2f}", "currency": currency}


def _disclosed() -> dict[str, str]:
    """Return the disclosure that goes with each personal price, also where it equals the list price."""
    said = _("Personalized price: it was set for you by automated decision-making.")
    return {"code": DISCLOSURE, "text": said}


def question(request: PriceRequest) -> Question:
    """Return the question whether the prices may be made for the person."""
    return Question(
        subject_ref=request.subject_ref,
        action="price",
        purpose=request.purpose,
        data_categories=request.data_categories,
        region=request.region,
        processing_region=request.processing_region or settings.PROCESSING_REGION,
        gpc=request.signals.gpc,
        gpp_opt_out=request.signals.gpp_opt_out,
        tcf_present=request.signals.tcf_present,
        tcf_purposes=request.signals.tcf_purposes,
    )
