"""GET /api/v1/recommendations/general: the list that everybody gets, which caches may keep.

It is about no person, so it is the one list that a cache may keep. The cache asks with each use whether it is still
true: rules of display and opt-outs of creators are in force at the next request.
Nothing is known of who will see it, so what any rule of display names is left out.
"""

from typing import Annotated, Any

from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http.conditional import CONDITIONAL, NOT_MODIFIED, conditional_response
from common.http.problems import Unavailable
from common.http.rest import Body, read_document
from personalization.general import also_bought
from personalization.intake.bodies import Slug
from personalization.serving import reading, wording
from personalization.views import ItemAnswer

CACHE_CONTROL = "public, no-cache"
_ALL_RULES = None
_PARAMETERS = [
    OpenApiParameter("count", int, description="How many items, 1 to 100; 10 where it is left out."),
    OpenApiParameter("item", str, description="Begin with what is bought by people who bought this item."),
    *CONDITIONAL,
]
_PROBLEMS = {code: OpenApiResponse(description="problem+json") for code in (400, 401, 403, 503)}


class GeneralQuery(Body):
    """Parameters of a request for the general list."""

    count: Annotated[int, Field(ge=1, le=100, strict=False)] = 10
    item: Slug | None = None


class GeneralAnswer(Body):
    """The general list; ``also_bought``: the item that it begins with the company of."""

    level: str
    profiled: bool
    also_bought: str | None
    items: list[ItemAnswer]


class GeneralView(APIView):
    """Read the list that everybody gets, with an item after what is bought by people who bought it. Caches may keep it.

    Everybody gets the same answer, so it may be shown before anything is known of a visitor.
    """

    required_scope = "recommendations"

    @extend_schema(
        operation_id="general_recommendations",
        parameters=_PARAMETERS,
        responses={200: GeneralAnswer, **NOT_MODIFIED, **_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        wanted = read_document(GeneralQuery, dict(request.query_params.items()))
        try:
            items = general(wanted.count, wanted.item)
        except reading.ReadingFailed as exc:
            raise Unavailable("The list cannot be read just now; ask again.") from exc
        document = {"level": "none", "profiled": False, "also_bought": wanted.item, "items": items}
        response: Response = conditional_response(request, document, cache_control=CACHE_CONTROL)
        patch_vary_headers(response, ["Accept-Language"])
        return response


def general(count: int, item: str | None = None) -> list[dict[str, Any]]:
    """Return the general list, with an item after what is also bought. Raises reading.ReadingFailed."""
    bought = _also_bought(item)[:count] if item else []
    named = {item, *(other for other, *_ in bought)}
    rest = reading.general(count + len(named), _ALL_RULES) if len(bought) < count else []
    return wording.popular([*bought, *(each for each in rest if each[0] not in named)][:count])


def _also_bought(item: str) -> list[tuple[str, str, str]]:
    others = also_bought.of(item)
    offered = dict(reading.general_among(others, len(others), _ALL_RULES)[0]) if others else {}
    return [(other, offered[other], "also_bought") for other in others if other in offered]
