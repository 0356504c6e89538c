"""Endpoints of the Data Rights Protocol, under ``/drp/v1``. Errors are the protocol's own: ``code`` and ``message``."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from common.http import strict_json
from common.http.bearer import bearer_token
from common.http.client_network import client_network
from common.http.problems import Problem
from common.http.rate_limit import RateLimit
from privacy.rights.drp import agents, exercising, messages
from privacy.rights.drp.messages import MAX_BYTES, MessageRefused, RevokeMessage, RightsMessage
from privacy.rights.drp.models import Agent, AgentRequest

_P = ParamSpec("_P")
_FOR_AGENT = RateLimit("messages of an agent", 600, per=timedelta(hours=1))
_TOKENS = RateLimit("token requests of an agent", 30, per=timedelta(hours=1))
AgentView = Callable[Concatenate[Any, HttpRequest, Agent, _P], HttpResponse]


def for_agent(view: AgentView[_P]) -> Callable[Concatenate[Any, HttpRequest, _P], HttpResponse]:
    """Give a method the agent behind the token; refusals are the protocol's."""

    @wraps(view)
    def checked(self: Any, request: HttpRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        agent = agents.agent_of(bearer_token(request.META.get("HTTP_AUTHORIZATION", "")))
        if agent is None:
            return _refusal(401, "unauthorized", "The token is not one of an agent. Ask for one first.")
        try:
            _FOR_AGENT.take(agent.slug)
            return view(self, request, agent, *args, **kwargs)
        except Problem as problem:
            return _refusal(problem.status, problem.code, problem.detail)

    return checked


@method_decorator(csrf_exempt, name="dispatch")
class ProtocolView(View):
    """Base of the endpoints: closed unless this business stands in a directory (``DRP_BUSINESS_ID``)."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not settings.DRP_BUSINESS_ID:
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class TokenView(ProtocolView):
    """Pair-wise set-up: an agent that proves its key is given a token. Any failure is 403 without a body."""

    def post(self, request: HttpRequest, agent_id: str) -> HttpResponse:
        agent = Agent.objects.filter(slug=agent_id, is_active=True).first()
        try:
            if agent is None:
                return HttpResponse(status=403)
            # By network as well: who is not the agent cannot use up what the agent has.
            _TOKENS.take(agent.slug, client_network(request.META))
            document = messages.read(_body(request), agent, timezone.now())
            token = agents.issue_token(agent, document, now=timezone.now())
        except Problem:
            return HttpResponse(status=403)
        return JsonResponse({"agent-id": agent.slug, "token": token})

    def get(self, request: HttpRequest, agent_id: str) -> HttpResponse:
        agent = agents.agent_of(bearer_token(request.META.get("HTTP_AUTHORIZATION", "")))
        return JsonResponse({}) if agent is not None and agent.slug == agent_id else HttpResponse(status=403)


class ExerciseView(ProtocolView):
    """Exercise a right for a person."""

    @for_agent
    def post(self, request: HttpRequest, agent: Agent) -> HttpResponse:
        body, now = _body(request), timezone.now()
        message = messages.read_as(RightsMessage, messages.read(body, agent, now))
        found = exercising.exercise(message, agent, body, now=now)
        return JsonResponse(exercising.status_of(found) if found else exercising.refused_status(message, now=now))


class StatusView(ProtocolView):
    """Status of an agent's own request, and its revocation. Another agent's is 403, as one that does not exist."""

    @for_agent
    def get(self, _request: HttpRequest, agent: Agent, request_id: UUID) -> HttpResponse:
        found = _own(agent, request_id)
        return JsonResponse(exercising.status_of(found)) if found else HttpResponse(status=403)

    @for_agent
    def delete(self, request: HttpRequest, agent: Agent, request_id: UUID) -> HttpResponse:
        found = _own(agent, request_id)
        if found is None:
            return HttpResponse(status=403)
        _revocation(_body(request))
        return JsonResponse(exercising.status_of(exercising.revoke(found, actor=agents.actor_of(agent))))


def _own(agent: Agent, request_id: UUID) -> AgentRequest | None:
    found = AgentRequest.objects.select_related("request__package")
    return found.filter(agent=agent, request_id=request_id).first()


def _revocation(body: bytes) -> RevokeMessage:
    try:
        return messages.read_as(RevokeMessage, strict_json.loads_object(body) if body.strip() else {})
    except strict_json.InvalidJson:
        raise MessageRefused("The body must be a JSON object, or empty.") from None


def _body(request: HttpRequest) -> bytes:
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise MessageRefused(f"The body is larger than {MAX_BYTES // 1024} KiB.")
    return body


def _refusal(status: int, code: str, message: str) -> HttpResponse:
    return JsonResponse({"code": code, "message": message}, status=status)
