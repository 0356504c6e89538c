"""Requests about a visitor without a record: nothing in them names a person."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import Field

from common.http.rest import Body
from personalization.intake.bodies import ProcessingRegion, Purpose, Signals, Slug
from personalization.proxy import RecommendationRequest
from personalization.serving.bodies import Region
from policies.decisions.information import NO_SUBJECT

# All that a visit can say of itself; the decision is about these data and no others.
_DATA = ("views",)
_LEVEL = "contextual"


class VisitBody(Body):
    """Recommendations for a visitor of whom there is no record, from the items of this visit, oldest first.

    Nothing of it is stored, and the decision log names no item and no person. An item that is not known counts as none.
    A ``region`` that is not stated is denied, and an ``age_band`` that is not stated counts as the law of the region
    says.
    """

    purpose: Purpose
    session: Annotated[list[Slug], Field(min_length=1, max_length=20)]
    count: Annotated[int, Field(ge=1, le=100)] = 10
    candidates: Annotated[list[Slug], Field(min_length=1, max_length=1000)] | None = None
    signals: Signals = Signals()
    region: Region | None = None
    age_band: Literal["adult", "minor", "child"] | None = None
    processing_region: ProcessingRegion | None = None

    def request(self, environ: Mapping[str, Any]) -> RecommendationRequest:
        """Return the request as it is served."""
        return RecommendationRequest(
            subject_ref=NO_SUBJECT,
            is_visitor=True,
            purpose=self.purpose,
            requested_level=_LEVEL,
            count=self.count,
            session=tuple(self.session),
            candidates=None if self.candidates is None else tuple(dict.fromkeys(self.candidates)),
            signals=self.signals.read(environ),
            region=self.region,
            age_band=self.age_band,
            processing_region=self.processing_region or settings.PROCESSING_REGION,
            data_categories=_DATA,
        )
