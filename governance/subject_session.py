"""The short session a single-use link opens for a person: one cookie, no account."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from consent import links
from consent.models import SubjectLink


def current_session(request: HttpRequest) -> SubjectLink | None:
    secret = request.COOKIES.get(settings.SUBJECT_COOKIE_NAME, "")
    return links.open_session(secret) if 0 < len(secret) <= 128 else None


def signed_out(request: HttpRequest) -> HttpResponse:
    return render(request, "privacy/link_invalid.html", {"business_name": settings.BUSINESS_NAME}, status=403)
