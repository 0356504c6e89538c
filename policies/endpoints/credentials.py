"""Credentials of services: create, find and revoke."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit import trail
from common.canonical import sha256
from common.http.problems import InvalidRequest
from policies.models import ServiceCredential

DEFAULT_LIFETIME = timedelta(days=365)
# All that one service may be given: with the scope of cells, a credential is another cell's and serves no service.
SERVICE_SCOPES = tuple(scope for scope in ServiceCredential.Scope.values if scope != ServiceCredential.Scope.CELLS)


def token_hash(token: str) -> bytes:
    return sha256(token.encode())


@transaction.atomic
def create_credential(
    *,
    name: str,
    scopes: Sequence[str],
    actor: str,
    lifetime: timedelta = DEFAULT_LIFETIME,
    repeatable_answers: bool = False,
) -> tuple[str, ServiceCredential]:
    """Return a new Bearer token, shown this once, and its stored credential."""
    unknown = set(scopes) - set(ServiceCredential.Scope.values)
    if unknown or not scopes:
        raise InvalidRequest(f"Name at least one scope out of: {', '.join(ServiceCredential.Scope.values)}.")
    token = f"assent_{secrets.token_urlsafe(32)}"
    credential = ServiceCredential.objects.create(
        name=name,
        token_hash=token_hash(token),
        scopes=sorted(set(scopes)),
        repeatable_answers=repeatable_answers,
        expires_at=timezone.now() + lifetime,
    )
    details = {"scopes": credential.scopes, "repeatable_answers": repeatable_answers}
    trail.record("credential.created", name, actor=actor, details=details)
    return token, credential


@transaction.atomic
def revoke_credential(*, credential: ServiceCredential, actor: str) -> None:
    """Revoke at once: the next request with this token is refused, in every process. Two at once revoke it once."""
    locked = ServiceCredential.objects.select_for_update().get(pk=credential.pk)
    if locked.revoked_at is None:
        locked.revoked_at = timezone.now()
        locked.save(update_fields=["revoked_at"])
        trail.record("credential.revoked", locked.name, actor=actor)
    credential.revoked_at = locked.revoked_at
