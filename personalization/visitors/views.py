"""The same endpoint under plain Django, and its description."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http.rest import actor_of, read_body
from personalization import proxy
from personalization.views import RecommendationAnswer
from personalization.visitors.bodies import VisitBody
from policies.decision_log.spool import SpoolFull
from policies.endpoints import wsgi

_PROBLEMS = {code: OpenApiResponse(description="problem+json") for code in (400, 401, 403, 413, 503)}


class VisitView(APIView):
    """Ask for recommendations for a visitor without a record, from what they look at in this visit."""

    required_scope = "recommendations"

    @extend_schema(
        operation_id="recommend_for_visit", request=VisitBody, responses={200: RecommendationAnswer, **_PROBLEMS}
    )
    def post(self, request: Request) -> Response:
        body = read_body(VisitBody, request)
        try:
            answer = proxy.recommend(body.request(request.META), caller=actor_of(request))
        except SpoolFull as exc:
            raise wsgi.log_unavailable() from exc
        return Response(answer.document())
