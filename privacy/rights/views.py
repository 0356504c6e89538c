"""The requests API: open, list, show, cancel, download. A service with the scope vouches for its person."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http.rate_limit import RateLimit
from common.http.rest import actor_of, read_body
from consent.api import KEY_PARAMETER, idempotency_key
from consent.models import DataSubject
from privacy.rights import api
from privacy.rights.answers import packages
from privacy.rights.clocks.laws import Right, laws
from privacy.rights.models import RightsRequest
from privacy.rights.problems import RequestUnknown
from privacy.rights.requesters import asking
from privacy.rights.requesters.proof import Acting
from privacy.rights.requesters.requester import Asks
from privacy.rights.requests import fulfilling, requests
from privacy.rights.requests.other_cells import PASSED_ON
from privacy.rights.requests.statements import Said
from privacy.rights.requests.states import Move

_PROBLEMS = {
    status: OpenApiResponse(description="problem+json") for status in (400, 401, 403, 409, 413, 421, 422, 429, 503)
}
_UNKNOWN = {404: OpenApiResponse(description="problem+json")}
_MOST_SHOWN = 100
_FOR_PERSON = RateLimit("requests of a person", 20, per=timedelta(hours=1))


class RequestsView(APIView):
    """Open a request of a person. The same Idempotency-Key, or an open request of the same right, answers 200."""

    required_scope = "requests"

    @extend_schema(
        operation_id="open_request",
        request=api.OpenBody,
        responses={201: api.RequestAnswer, 200: api.RequestAnswer, **_UNKNOWN, **_PROBLEMS},
        parameters=[KEY_PARAMETER],
    )
    def post(self, request: Request) -> Response:
        body = read_body(api.OpenBody, request)
        ref = body.subject.ref()
        _FOR_PERSON.take(str(ref))
        opened = requests.open_request(
            requests.Opening(
                right=Right(body.right),
                subject_ref=ref,
                region=body.subject.region or _region_of(ref),
                door=_door(request),
                actor=actor_of(request),
                is_identified=body.acting == "self",
                said=_said(body),
                shown=body.subject.shown(),
                idempotency_key=idempotency_key(request.META),
                appeals=_appealed(body, ref),
                asks=_asks(body),
            )
        )
        done = fulfilling.run_or_leave(opened.request.pk)
        return Response(_document(done), status=201 if opened.is_new else 200)


class PersonsRequestsView(APIView):
    """Requests of a person, the newest first."""

    required_scope = "requests"

    @extend_schema(
        operation_id="list_requests", request=api.PersonBody, responses={200: api.RequestsAnswer, **_PROBLEMS}
    )
    def post(self, request: Request) -> Response:
        body = read_body(api.PersonBody, request)
        found = RightsRequest.objects.filter(subject_ref=body.subject.ref()).prefetch_related("steps")
        return Response({"requests": [_document(each) for each in found.order_by("-id")[:_MOST_SHOWN]]})


class RequestView(APIView):
    """One request, for the person whose it is. Another person's answers as one that does not exist."""

    required_scope = "requests"

    @extend_schema(
        operation_id="show_request",
        request=api.PersonBody,
        responses={200: api.RequestAnswer, **_UNKNOWN, **_PROBLEMS},
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        return Response(_document(_of_person(request_id, read_body(api.PersonBody, request).subject.ref())))


class CancelRequestView(APIView):
    """Cancel a person's own request, as long as its work has not begun."""

    required_scope = "requests"

    @extend_schema(
        operation_id="cancel_request",
        request=api.CancelBody,
        responses={200: api.RequestAnswer, **_UNKNOWN, **_PROBLEMS},
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        body = read_body(api.CancelBody, request)
        found = _of_person(request_id, body.subject.ref())
        moved = requests.move(found.pk, Move.CANCEL, actor=actor_of(request), reason=body.reason)
        return Response(_document(moved))


class EndMandateView(APIView):
    """End the mandate of the agent or guardian who asked for a person, at once."""

    required_scope = "requests"

    @extend_schema(
        operation_id="end_mandate",
        request=api.PersonBody,
        responses={200: api.RequestAnswer, **_UNKNOWN, **_PROBLEMS},
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        found = _of_person(request_id, read_body(api.PersonBody, request).subject.ref())
        return Response(_document(asking.withdraw_mandate(found.pk, actor=actor_of(request))))


class DownloadRequestView(APIView):
    """Issue a single-use link to the files of a person's answered request."""

    required_scope = "requests"

    @extend_schema(
        operation_id="download_request",
        request=api.PersonBody,
        responses={201: api.DownloadAnswer, **_UNKNOWN, **_PROBLEMS},
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        found = _of_person(request_id, read_body(api.PersonBody, request).subject.ref())
        package = getattr(found, "package", None)
        if package is None or package.expires_at <= timezone.now():
            raise RequestUnknown("This request has no files, or they have expired. Open a new request.")
        token = packages.issue_link(package, actor=actor_of(request))
        expires_at = package.links.latest("issued_at").expires_at
        url = f"{settings.PUBLIC_URL}{reverse('rights-download', args=[token])}"
        return Response({"url": url, "expires_at": expires_at}, status=201)


def _of_person(pk: UUID, ref: UUID) -> RightsRequest:
    try:
        return RightsRequest.objects.select_related("package").get(pk=pk, subject_ref=ref)
    except RightsRequest.DoesNotExist:
        raise RequestUnknown("This person has no request with this id.") from None


def _door(request: Request) -> str:
    return PASSED_ON if "HTTP_X_ASSENT_CELL" in request.META else "api"


def _said(body: api.OpenBody) -> Said:
    return Said(body.statement, body.correction.asked() if body.correction else {})


def _appealed(body: api.OpenBody, ref: UUID) -> UUID | None:
    return _of_person(body.appeals, ref).pk if body.appeals else None


def _asks(body: api.OpenBody) -> Asks | None:
    if body.acting == "self":
        return None
    return Asks(acting=Acting(body.acting), mandate_until=body.mandate_until)


def _region_of(ref: UUID) -> str:
    return DataSubject.objects.filter(pk=ref).values_list("region", flat=True).first() or ""


def _document(request: RightsRequest) -> dict[str, Any]:
    law = next((each for each in laws() if each.slug == request.law), None)
    return api.document(request, law.clocks[Right(request.right)].section if law else "")
