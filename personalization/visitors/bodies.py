"""Requests about a visitor without a record: nothing in them names a person."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from personalization.intake.bodies import Slug
from personalization.serving.bodies import ListBody
from personalization.serving.requests import RecommendationRequest
from policies.decisions.information import NO_SUBJECT

# All that a visit can say of itself; the decision is about these data and no others.
_DATA = ("views",)
_LEVEL = "contextual"


class VisitBody(ListBody):
    """Recommendations for a visitor of whom there is no record, from the items of this visit, oldest first.

    Nothing of it is stored, and the decision log names no item and no person. An item that is not known counts as none.
    A ``region`` that is not stated is denied, and an ``age_band`` that is not stated counts as the law of the region
    says.
    """

    session: Annotated[list[Slug], Field(min_length=1, max_length=20)]
    age_band: Literal["adult", "minor", "child"] | None = None

    def about(self) -> tuple[UUID, str]:
        return NO_SUBJECT, "none"

    def request(self, environ: Mapping[str, Any]) -> RecommendationRequest:
        return self._request(
            environ,
            subject_ref=NO_SUBJECT,
            is_visitor=True,
            requested_level=_LEVEL,
            session=tuple(self.session),
            region=self.region,
            age_band=self.age_band,
            data_categories=_DATA,
        )
