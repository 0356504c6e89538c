"""GET /api/v1/recommendations/general: the list that everybody gets, which caches may keep.

It is about no person, so it is the one list that a cache may keep. The cache asks with each use whether it is still
true: rules of display and opt-outs of creators are in force at the next request.
Nothing is known of who will see it, so what any rule of display or of masking names is left out.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http.conditional import CONDITIONAL, NOT_MODIFIED, conditional_response
from common.http.problems import InvalidRequest, Unavailable
from common.http.rest import Body
from personalization.general import also_bought
from personalization.intake.bodies import ITEM
from personalization.rules import masked as masking
from personalization.serving import reading, wording
from personalization.views import ItemAnswer

CACHE_CONTROL = "public, no-cache"
_ALL_RULES = None
_COUNT = re.compile(r"[1-9][0-9]?|100")
_PARAMETERS = [
    OpenApiParameter(
        "count", {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}, description="How many items."
    ),
    OpenApiParameter(
        "item",
        {"type": "string", "pattern": ITEM},
        description="Begin with what is bought by people who bought this item.",
    ),
    *CONDITIONAL,
]
_PROBLEMS = {code: OpenApiResponse(description="problem+json") for code in (400, 401, 403, 503)}


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
        count, item = _wanted(request.query_params)
        try:
            items = general(count, item)
        except reading.ReadingFailed as exc:
            raise Unavailable("The list cannot be read just now; ask again.") from exc
        document = {"level": "none", "profiled": False, "also_bought": item, "items": items}
        response: Response = conditional_response(request, document, cache_control=CACHE_CONTROL)
        patch_vary_headers(response, ["Accept-Language"])
        return response


def _wanted(query: Mapping[str, str]) -> tuple[int, str | None]:
    errors: dict[str, list[str]] = {}
    count, item = query.get("count", "10"), query.get("item")
    if not _COUNT.fullmatch(count):
        errors["count"] = ["must be a whole number from 1 to 100"]
    if item is not None and not re.fullmatch(ITEM, item):
        errors["item"] = ["must be the id of an item"]
    if errors:
        raise InvalidRequest("Some parameters of the query are not as they should be.", errors=errors)
    return int(count), item


def general(count: int, item: str | None = None) -> list[dict[str, Any]]:
    """Return the general list, with an item after what is also bought. Raises reading.ReadingFailed."""
    bought = _also_bought(item)[:count] if item else []
    named = {item, *(other for other, *_ in bought)}
    rest = reading.general(count + len(named), _ALL_RULES) if len(bought) < count else []
    items = wording.popular([*bought, *(each for each in rest if each[0] not in named)][:count])
    return masking.without(items, masking.of_all_rules())


def _also_bought(item: str) -> list[tuple[str, str, str]]:
    others = also_bought.of(item)
    listed = reading.general_among(others, len(others), _ALL_RULES)[0] if others else []
    offered = {other: title for other, title, _basis in listed}  # promotions are hidden by all rules
    return [(other, offered[other], "also_bought") for other in others if other in offered]
