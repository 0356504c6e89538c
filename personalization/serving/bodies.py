"""Requests for recommendations as they are said, and as they are served."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from django.conf import settings
from pydantic import Field

from common import patterns
from common.http.rest import Body
from common.levels import LevelName
from consent.api import SubjectBody
from personalization.intake.bodies import ProcessingRegion, Purpose, Signals, Slug
from personalization.serving.requests import RecommendationRequest

Region = Annotated[str, Field(pattern=f"^{patterns.REGION}$")]


class ListBody(Body):
    """What is said of a list, for a person or a visitor."""

    purpose: Purpose
    count: Annotated[int, Field(ge=1, le=100)] = 10
    candidates: Annotated[list[Slug], Field(min_length=1, max_length=1000)] | None = None
    signals: Signals = Signals()
    region: Region | None = None
    processing_region: ProcessingRegion | None = None

    @abstractmethod
    def about(self) -> tuple[UUID, str]:
        """Return the person of whom something is read for it, and the level that this is for."""

    @abstractmethod
    def request(self, environ: Mapping[str, Any]) -> RecommendationRequest:
        """Return the request as it is served."""

    def _request(self, environ: Mapping[str, Any], **own: Any) -> RecommendationRequest:
        """Return the request with what only one kind of body says."""
        return RecommendationRequest(
            purpose=self.purpose,
            count=self.count,
            candidates=None if self.candidates is None else tuple(dict.fromkeys(self.candidates)),
            signals=self.signals.read(environ),
            processing_region=self.processing_region or settings.PROCESSING_REGION,
            **own,
        )


class RecommendationBody(ListBody):
    """Recommendations for one person. The level served may be lower than the one asked for, never higher.

    With ``candidates`` only these items are ranked, by the same levels and rules; ``left_out`` in the answer counts
    those that are not shown to the person.
    ``mode`` "non_profiled" ranks without anything about the person (Digital Services Act, Article 38).
    """

    mode: Literal["permitted", "non_profiled"] = "permitted"
    subject: SubjectBody
    purpose: Purpose = "recommendations"
    requested_level: LevelName = "individual"
    session: Annotated[list[Slug], Field(max_length=50)] = []

    def about(self) -> tuple[UUID, str]:
        return self.subject.ref(), "none" if self.mode == "non_profiled" else self.requested_level

    def request(self, environ: Mapping[str, Any]) -> RecommendationRequest:
        return self._request(
            environ,
            subject_ref=self.subject.ref(),
            requested_level=self.requested_level,
            session=tuple(self.session),
            non_profiled=self.mode == "non_profiled",
            region=self.region or self.subject.region,
        )
