"""Liveness (this process answers) and readiness (what it needs answers too)."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from policies.models import ActiveBundle


def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> JsonResponse:
    """200 once the database answers and a policy bundle is in force; else 503 with what is missing."""
    missing = _missing()
    status = 503 if missing else 200
    return JsonResponse({"status": "not ready" if missing else "ready", "missing": missing}, status=status)


def _missing() -> list[str]:
    try:
        return [] if ActiveBundle.objects.exists() else ["policy bundle"]
    except DatabaseError:
        connection.close()
        return ["database"]
