"""Registers in force, for services: purposes, jurisdictions and levels. Scope ``registers``; nothing about people.

Every list is read in a fixed number of statements, and carries an entity tag: a caller that asks again with
``If-None-Match`` gets 304 while nothing has changed.
"""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from common.http import listing
from common.http.conditional import CONDITIONAL, NOT_MODIFIED, conditional_response
from policies.registers import documents
from policies.registers.answers import JurisdictionsAnswer, LevelsAnswer, PurposesAnswer

# Kept by the caller alone, and asked about again each time: a change counts from the next question on.
_CACHE_CONTROL = "private, no-cache"
_PROBLEMS = {status: OpenApiResponse(description="problem+json") for status in (401, 403, 503)}
_PAGE_PROBLEMS = {400: OpenApiResponse(description="problem+json"), **_PROBLEMS}


class _RegisterView(APIView):
    required_scope = "registers"

    def answer(self, request: Request, document: dict[str, Any]) -> Any:
        return conditional_response(request, document, cache_control=_CACHE_CONTROL)


class PurposesView(_RegisterView):
    """Active purposes: names in each language, notice, legal basis, levels, data, recipients, retention."""

    @extend_schema(
        operation_id="list_purposes",
        parameters=[*listing.PARAMETERS, *CONDITIONAL],
        responses={200: PurposesAnswer, **NOT_MODIFIED, **_PAGE_PROBLEMS},
    )
    def get(self, request: Request) -> Any:
        page = listing.page_request(request)
        rows = documents.active_purposes()
        return self.answer(request, listing.page_of(rows, page, name="purposes", key="slug", render=documents.purpose))


class JurisdictionsView(_RegisterView):
    """Laws that protect people, the regions where they apply, and what they set."""

    @extend_schema(
        operation_id="list_jurisdictions",
        parameters=[*listing.PARAMETERS, *CONDITIONAL],
        responses={200: JurisdictionsAnswer, **NOT_MODIFIED, **_PAGE_PROBLEMS},
    )
    def get(self, request: Request) -> Any:
        page = listing.page_request(request)
        document = listing.page_of(
            documents.jurisdictions(), page, name="jurisdictions", key="slug", render=documents.jurisdiction
        )
        return self.answer(request, document)


class LevelsView(_RegisterView):
    """Levels of personalization, least first, and their names on the pages people see."""

    @extend_schema(
        operation_id="list_levels",
        parameters=[*CONDITIONAL],
        responses={200: LevelsAnswer, **NOT_MODIFIED, **_PROBLEMS},
    )
    def get(self, request: Request) -> Any:
        return self.answer(request, {"levels": documents.levels()})
