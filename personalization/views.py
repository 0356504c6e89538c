"""Endpoints of the recommender: events in, recommendations out."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http.rest import Body, actor_of, read_body
from common.levels import LevelName
from personalization import parameters, proxy
from personalization.intake import answers, streams
from personalization.intake.bodies import EventBody
from personalization.intake.taking import take_in
from personalization.serving.bodies import RecommendationBody
from policies.decision_log.spool import SpoolFull
from policies.endpoints import wsgi


class ReasonAnswer(Body):
    code: str
    detail: str | None
    sentence: str


class EventAnswer(Body):
    stored: bool
    duplicate: bool
    decision_id: str
    reasons: list[ReasonAnswer]


class BecauseAnswer(Body):
    item: str
    title: str
    share: float


class ItemAnswer(Body):
    """Recommended item, with the person's own items that speak for it most and against it most.

    ``advertising``: there, and true, where the item's place is paid for. Show it as advertising.
    ``tried_out``: it is in the list to learn whether people like it, by the share that the rule of ranking sets.
    A field that is null is masked by a rule.
    """

    item: str
    title: str | None
    basis: str | None
    because: list[BecauseAnswer] | None
    despite: list[BecauseAnswer] | None
    why: str | None
    advertising: bool | None = None
    tried_out: bool | None = None


class RecommendationAnswer(Body):
    level: LevelName
    permitted_level: LevelName
    decision_id: str
    reasons: list[ReasonAnswer]
    model: str | None
    fallback: str | None
    items: list[ItemAnswer]
    left_out: int | None = None
    profiled: bool
    bundle_revision: str
    subject_revision: int


_PROBLEMS = {
    400: OpenApiResponse(description="problem+json"),
    401: OpenApiResponse(description="problem+json"),
    403: OpenApiResponse(description="problem+json"),
    409: OpenApiResponse(description="problem+json"),
    413: OpenApiResponse(description="problem+json"),
    421: OpenApiResponse(description="problem+json"),
    422: OpenApiResponse(description="problem+json"),
    503: OpenApiResponse(description="problem+json"),
}


class EventsView(APIView):
    """Send one event. It is kept only if the person allows its use; the answer says which."""

    required_scope = "events"

    @extend_schema(
        operation_id="send_event", request=EventBody, responses={201: EventAnswer, 200: EventAnswer, **_PROBLEMS}
    )
    def post(self, request: Request) -> Response:
        body = read_body(EventBody, request)
        sender = actor_of(request)
        streams.note([body], sender)
        event = body.event(sender, body.signals.read(request.META), body.subject.ref())
        try:
            taken = take_in(event)
        except SpoolFull as exc:
            raise wsgi.log_unavailable("Nothing was stored; send the event again.") from exc
        answer = answers.document(taken)
        is_new = taken.stored and not taken.duplicate
        return Response(answer, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class RecommendationsView(APIView):
    """Ask for recommendations at the highest level the person allows."""

    required_scope = "recommendations"

    @extend_schema(
        operation_id="recommend", request=RecommendationBody, responses={200: RecommendationAnswer, **_PROBLEMS}
    )
    def post(self, request: Request) -> Response:
        body = read_body(RecommendationBody, request)
        try:
            answer = proxy.recommend(body.request(request.META), caller=actor_of(request))
        except SpoolFull as exc:
            raise wsgi.log_unavailable() from exc
        return Response(answer.document())


class ParametersView(APIView):
    """The main parameters of the ranking, in words, and how to change them (Digital Services Act, Article 27)."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(operation_id="recommender_parameters", responses={200: OpenApiTypes.OBJECT}, auth=[])
    def get(self, request: Request) -> Response:
        return Response(parameters.document())
