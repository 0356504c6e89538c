"""Requests for recommendations as they are said, and as they are served."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import Field

from common import patterns
from common.http.rest import Body
from common.levels import LevelName
from consent.api import SubjectBody
from personalization.intake.bodies import ProcessingRegion, Purpose, Signals, Slug
from personalization.serving.requests import RecommendationRequest

Region = Annotated[str, Field(pattern=f"^{patterns.REGION}$")]


class RecommendationBody(Body):
    """Recommendations for one person. The level served may be lower than the one asked for, never higher.

    With ``candidates`` only these items are ranked, by the same levels and rules; ``left_out`` in the answer counts
    those that are not shown to the person.
    ``mode`` "non_profiled" ranks without anything about the person (Digital Services Act, Article 38).
    """

    mode: Literal["permitted", "non_profiled"] = "permitted"
    subject: SubjectBody
    purpose: Purpose = "recommendations"
    requested_level: LevelName = "individual"
    count: Annotated[int, Field(ge=1, le=100)] = 10
    session: Annotated[list[Slug], Field(max_length=50)] = []
    candidates: Annotated[list[Slug], Field(min_length=1, max_length=1000)] | None = None
    signals: Signals = Signals()
    region: Region | None = None
    processing_region: ProcessingRegion | None = None

    def request(self, environ: Mapping[str, Any]) -> RecommendationRequest:
        """Return the request as it is served."""
        return RecommendationRequest(
            subject_ref=self.subject.ref(),
            purpose=self.purpose,
            requested_level=self.requested_level,
            count=self.count,
            session=tuple(self.session),
            candidates=None if self.candidates is None else tuple(dict.fromkeys(self.candidates)),
            signals=self.signals.read(environ),
            non_profiled=self.mode == "non_profiled",
            region=self.region or self.subject.region,
            processing_region=self.processing_region or settings.PROCESSING_REGION,
        )
