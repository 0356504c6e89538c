"""The consent API: give, refuse, withdraw, object, state, history, and links to the privacy dashboard.

People's ids travel in bodies, never in URLs, so they stay out of access logs and browser histories.
"""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http.problems import Problem
from common.http.rate_limit import RateLimit
from common.http.rest import Body, actor_of, read_body
from common.levels import LevelName
from consent import api, links, residence
from consent.api import KEY_PARAMETER, ConsentBody, ReceiptBody, SubjectOnly
from consent.ledger import selectors
from consent.receipts import issuing

RecordedState = Literal["given", "refused", "withdrawn", "objected"]
StateName = Literal[RecordedState, "expired", "renewal_required", "never_asked", "not_required"]


class RecordAnswer(Body):
    id: UUID
    purpose: str
    scope: str
    state: RecordedState
    notice_version: int
    max_level: LevelName | None = None
    recorded_at: datetime
    expires_at: datetime | None
    supersedes: UUID | None
    digest: str


class SavedAnswer(Body):
    subject_revision: int
    records: list[RecordAnswer]
    warnings: list[str] = []


class PartStateAnswer(Body):
    state: RecordedState
    record: UUID


class NewTermsAnswer(Body):
    """What the register says beyond the person's agreement: not asked yet, so not permitted.

    ``agreed_level``: the level agreed to, where the register's is higher.
    """

    data_categories: list[str]
    recipients: list[str]
    channels: list[str]
    actions: list[str]
    agreed_level: LevelName | None


class PurposeStateAnswer(Body):
    """State of a purpose, and of the parts of it that the person chose about."""

    state: StateName
    since: datetime | None
    expires_at: datetime | None
    record: UUID | None
    notice_version: int | None
    ask_again_at: datetime | None
    explicit: bool
    max_level: LevelName | None
    parts: dict[str, PartStateAnswer]
    beyond: NewTermsAnswer | None


class StateAnswer(Body):
    """``opted_out_by_signal``: a signal of the person's browser is remembered and counts until a yes lifts it."""

    known: bool
    subject_revision: int
    opted_out_by_signal: bool
    purposes: dict[str, PurposeStateAnswer]


class HistoryAnswer(Body):
    records: list[RecordAnswer]


class LinkAnswer(Body):
    url: str
    expires_at: datetime


class RevokedAnswer(Body):
    """Number of unopened links taken back and of sessions ended."""

    links: int
    sessions: int


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
_UNKNOWN = {404: OpenApiResponse(description="problem+json")}
_LIMITED = {429: OpenApiResponse(description="problem+json")}
_ISSUED_BY_CREDENTIAL = RateLimit("links issued by credential", 600, per=timedelta(minutes=1))
_ISSUED_FOR_PERSON = RateLimit("links issued for person", 20, per=timedelta(hours=1))


class ConsentsView(APIView):
    """Save a person's choices."""

    required_scope = "consents"

    @extend_schema(
        operation_id="save_consents",
        request=ConsentBody,
        responses={201: SavedAnswer, 200: SavedAnswer, **_PROBLEMS},
        parameters=[KEY_PARAMETER],
    )
    def post(self, request: Request) -> Response:
        status_code, answer = api.save(request.data, actor_of(request), request.META)
        return Response(answer, status=status_code)


class NotServedHere(Problem):
    status = HTTPStatus.NOT_IMPLEMENTED
    code = "not_implemented"
    title = "This is not served"


class ConsentStateView(APIView):
    """What is in force for a person now, for every purpose.

    Described here for the OpenAPI document; the WSGI entry answers (``policies.endpoints.consent_state``), out of the
    bundle in force, which this layer does not know.
    """

    required_scope = "consents"

    @extend_schema(operation_id="consent_state", request=SubjectOnly, responses={200: StateAnswer, **_PROBLEMS})
    def post(self, request: Request) -> Response:
        raise NotServedHere("Serve the application through governance.wsgi, which answers this address.")


class ConsentHistoryView(APIView):
    """Consent records of a person, newest first."""

    required_scope = "consents"

    @extend_schema(operation_id="consent_history", request=SubjectOnly, responses={200: HistoryAnswer, **_PROBLEMS})
    def post(self, request: Request) -> Response:
        body = read_body(SubjectOnly, request)
        records = selectors.history(body.subject.ref())
        return Response(
            {
                "records": [
                    {
                        "id": record.id,
                        "purpose": record.purpose_id,
                        "scope": record.scope,
                        "state": record.state,
                        "notice_version": record.notice_version,
                        "max_level": record.proof.get("max_level"),
                        "recorded_at": record.recorded_at,
                        "expires_at": record.expires_at,
                        "supersedes": record.supersedes_id,
                        "digest": bytes(record.digest).hex(),
                    }
                    for record in records
                ]
            }
        )


class ReceiptAnswer(Body):
    """``jws`` is the signed content, ``receipt`` the same to read (ISO/IEC TS 27560)."""

    receipt: dict[str, Any]
    jws: str


class ReceiptsView(APIView):
    """Signed receipt of one save of a person; of the newest one where no number is given."""

    required_scope = "consents"

    @extend_schema(
        operation_id="consent_receipt", request=ReceiptBody, responses={200: ReceiptAnswer, **_PROBLEMS, **_UNKNOWN}
    )
    def post(self, request: Request) -> Response:
        body = read_body(ReceiptBody, request)
        ref = body.subject.ref()
        person = selectors.subject(ref)
        revision = body.subject_revision or (person.revision if person else 0)
        if revision <= selectors.erased_up_to(ref):
            revision = 0  # of an erased person: proof, and not for services
        return Response(issuing.issue(ref, revision))


class DashboardLinksView(APIView):
    """Issue a single-use link to a person's privacy dashboard, valid for 15 minutes."""

    required_scope = "subject_links"

    @extend_schema(
        operation_id="issue_dashboard_link", request=SubjectOnly, responses={201: LinkAnswer, **_PROBLEMS, **_LIMITED}
    )
    def post(self, request: Request) -> Response:
        _ISSUED_BY_CREDENTIAL.take(actor_of(request))
        subject = read_body(SubjectOnly, request).subject
        ref = subject.ref()
        residence.check_person(ref, subject.region)
        _ISSUED_FOR_PERSON.take(str(ref))
        token, link = links.issue_link(subject_ref=ref, issued_by=actor_of(request), shown=subject.shown())
        answer = {"url": f"{settings.PUBLIC_URL}/privacy/open/{token}", "expires_at": link.expires_at}
        return Response(answer, status=status.HTTP_201_CREATED)


class RevokeDashboardLinksView(APIView):
    """End a person's sessions and take back every link that was not opened yet."""

    required_scope = "subject_links"

    @extend_schema(
        operation_id="revoke_dashboard_links", request=SubjectOnly, responses={200: RevokedAnswer, **_PROBLEMS}
    )
    def post(self, request: Request) -> Response:
        subject = read_body(SubjectOnly, request).subject
        ref = subject.ref()
        residence.check_person(ref, subject.region)
        revoked = links.revoke_access(subject_ref=ref, actor=actor_of(request))
        return Response({"links": revoked.links, "sessions": revoked.sessions})
