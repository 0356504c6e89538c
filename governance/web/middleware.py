"""Middleware of every page and ordinary endpoint: security headers, and problems in the form the caller reads."""

from collections.abc import Callable, Mapping

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from common.http import path_hints
from common.http.problems import CONTENT_TYPE, Problem, TooManyRequests, problem_document
from governance.officers import account_events
from governance.web.api_paths import api_paths
from governance.web.content_security import policy_of

Handler = Callable[[HttpRequest], HttpResponse]


class SecurityHeaders:
    """Middleware: a strict Content-Security-Policy on public pages, and headers that switch off what no page needs."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy_of(request.path))
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), browsing-topics=()"
        if request.path.startswith(("/privacy/", "/api/v1/")):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class ActingOfficer:
    """Middleware that lets events of accounts name the officer of the request (``officers.account_events``)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        account_events.acting(request)
        try:
            return self.get_response(request)
        finally:
            account_events.acting(None)


class Problems:
    """Middleware that turns our own errors into a page, a message in the admin, or problem+json."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if _is_api(request) and response.status_code >= 400 and "json" not in response.headers.get("Content-Type", ""):
            return _plain_problem(response.status_code, request.path)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Problem):
            return None
        # A limit on logging in must be answered as such; sent back to the form, a program would only try again.
        if request.path.startswith("/admin/") and not isinstance(exception, TooManyRequests):
            messages.error(request, exception.detail)
            return HttpResponseRedirect(request.path)
        if _is_api(request):
            return _json(exception.document(), exception.headers)
        page = render(request, "errors/problem.html", {"problem": exception}, status=exception.status)
        for name, value in exception.headers.items():
            page.headers[name] = value
        return page


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/v1/")


_CODES = {400: "invalid_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
_TITLES = {400: "The request is not valid", 404: "Not found", 405: "Method not allowed"}


def _plain_problem(status: int, path: str) -> HttpResponse:
    title = _TITLES.get(status, "Something went wrong on our side" if status >= 500 else "Not possible")
    code = _CODES.get(status, "internal_error" if status >= 500 else "error")
    detail = path_hints.sentence(path, api_paths()) if status == 404 else title
    return _json(problem_document(status=status, code=code, title=title, detail=detail))


def _json(document: dict[str, object], headers: Mapping[str, str] | None = None) -> HttpResponse:
    status = int(str(document["status"]))
    return HttpResponse(msgspec.json.encode(document), status=status, content_type=CONTENT_TYPE, headers=headers)
