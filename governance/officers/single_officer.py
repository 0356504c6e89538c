"""Mark of an installation where nothing has a second pair of eyes: fewer than two accounts can approve."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

_APPROVES = "oversight.approve_changeset"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def is_single() -> bool:
    """Return whether fewer than two active accounts can approve what another one wrote."""
    approvers = User.objects.with_perm(_APPROVES, backend=_BACKEND)
    return approvers.filter(is_staff=True)[:2].count() < 2


def context(request: HttpRequest) -> dict[str, Any]:
    """Context processor of the admin's pages; asked only where a template shows the mark."""
    return {"single_officer": is_single} if request.path.startswith("/admin/") else {}
