"""Endpoint for a creator's opt-out: the business passes on what its creator asked for."""

import re
from datetime import datetime
from typing import Annotated

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import AwareDatetime, Field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http.problems import InvalidRequest
from common.http.rest import Body, actor_of, read_body
from personalization.creators import opt_outs
from personalization.intake.bodies import ITEM

_PROBLEMS = {code: OpenApiResponse(description="problem+json") for code in (400, 401, 403, 413, 422)}


class CreatorBody(Body):
    """With ``recommended: false`` the creator's items are not recommended, from the next request on."""

    recommended: Annotated[bool, Field(strict=True)]


class CreatorAnswer(Body):
    creator: str
    recommended: bool
    since: AwareDatetime


class CreatorUnnamed(InvalidRequest):
    code = "creator_unnamed"
    title = "This is no name of a creator"


class CreatorView(APIView):
    """Take a creator's opt-out of being recommended, or take it back."""

    required_scope = "events"

    @extend_schema(
        operation_id="put_creator", request=CreatorBody, responses={200: CreatorAnswer, **_PROBLEMS},
        parameters=[OpenApiParameter("creator", str, OpenApiParameter.PATH)],
    )  # fmt: skip
    def put(self, request: Request, creator: str) -> Response:
        name = _named(creator)
        recommended = read_body(CreatorBody, request).recommended
        row = opt_outs.set_recommended(name, recommended=recommended, actor=actor_of(request))
        since: datetime = row.since if row else timezone.now()
        return Response({"creator": name, "recommended": recommended, "since": since.isoformat()})


def _named(text: str) -> str:
    if not re.fullmatch(ITEM, text):
        raise CreatorUnnamed("A creator's name has 1 to 64 letters, digits and punctuation, without blanks.")
    return text
