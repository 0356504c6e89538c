"""Endpoint of prices of one person. Scope ``prices``."""

from decimal import Decimal
from typing import Annotated, Any

from django.utils import translation
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import Field, field_validator
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common import languages
from common.http.rest import Body, actor_of, read_body
from consent.api import SubjectBody
from personalization.intake.bodies import Amount, ProcessingRegion, Purpose, Signals, Slug
from personalization.prices import pricing
from personalization.prices.pricing import PriceRequest
from personalization.serving.bodies import Region
from personalization.views import ReasonAnswer
from policies.decision_log.spool import SpoolFull
from policies.endpoints import wsgi

_PROBLEMS = {code: OpenApiResponse(description="problem+json") for code in (400, 401, 403, 409, 413, 421, 422, 503)}


class WantedPrice(Body):
    """Price that the caller wants to ask of the person, in the currency of the item's list price."""

    item: Slug
    amount: Amount


class PricesBody(Body):
    """Prices for one person; no item is named twice."""

    subject: SubjectBody
    purpose: Purpose = pricing.PURPOSE
    items: Annotated[list[WantedPrice], Field(min_length=1, max_length=100)]
    signals: Signals = Signals()
    region: Region | None = None
    processing_region: ProcessingRegion | None = None

    @field_validator("items")
    @classmethod
    def _one_price_an_item(cls, items: list[WantedPrice]) -> list[WantedPrice]:
        if len({each.item for each in items}) != len(items):
            raise ValueError("an item is named twice")
        return items

    def request(self, environ: Any) -> PriceRequest:
        return PriceRequest(
            subject_ref=self.subject.ref(),
            wanted={each.item: Decimal(each.amount) for each in self.items},
            purpose=self.purpose,
            signals=self.signals.read(environ),
            region=self.region or self.subject.region,
            processing_region=self.processing_region,
        )


class Money(Body):
    amount: str
    currency: str


class Disclosure(Body):
    """Disclosure that has to be shown next to the price."""

    code: str
    text: str


class PersonalPriceAnswer(Body):
    """Price to ask. Without a list price in the catalogue there is none; a rule may mask prices."""

    item: str
    price: Money | None
    list_price: Money | None
    personalized: bool
    disclosure: Disclosure | None


class PricesAnswer(Body):
    decision_id: str
    reasons: list[ReasonAnswer]
    personalized: bool
    items: list[PersonalPriceAnswer]


class PricesView(APIView):
    """Ask which prices a person may be asked: the wanted ones within the bounds, or the list prices."""

    required_scope = "prices"

    @extend_schema(operation_id="personal_prices", request=PricesBody, responses={200: PricesAnswer, **_PROBLEMS})
    def post(self, request: Request) -> Response:
        body = read_body(PricesBody, request)
        # Sentences are for the person that the service asks for.
        language = languages.accepted(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
        try:
            with translation.override(language):
                return Response(pricing.answer(body.request(request.META), caller=actor_of(request)))
        except SpoolFull as exc:
            raise wsgi.log_unavailable() from exc
