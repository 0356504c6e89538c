"""Credentials of services: create, find and revoke."""

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import trail
from audit.sealed_rows import SealedRows
from common.canonical import sha256
from common.http.problems import InvalidRequest
from policies.models import ServiceCredential

CREDENTIALS = SealedRows(
    "credential",
    ServiceCredential,
    ("name", "token_hash", "scopes", "created_at", "expires_at", "revoked_at", "repeatable_answers"),
)
DEFAULT_LIFETIME = timedelta(days=365)
# All that one service may be given: with the scope of cells, a credential is another cell's and serves no service.
SERVICE_SCOPES = tuple(scope for scope in ServiceCredential.Scope.values if scope != ServiceCredential.Scope.CELLS)
_TAG = 10  # characters, 60 bits: guessing one is refused by the database, as ever
# Tokens made before there were tags are shorter by the tag, and valid as long as they were to be.
_FORM = re.compile(rf"assent_[A-Za-z0-9_-]{{43}}([A-Za-z0-9_-]{{{_TAG}}})?")


def token_hash(token: str) -> bytes:
    return sha256(token.encode())


def may_be_ours(token: str) -> bool:
    """Say whether the token has the form of one made here, without the database.

    Junk of the right form and length fails its tag. It is a sieve, not the check: that is the stored hash.
    """
    return _is_of_form(token, settings.SUBJECT_KEY[:64])


@lru_cache(maxsize=1_024)  # tokens of at most 512 characters: 1 MB at most
def _is_of_form(token: str, key: bytes) -> bool:
    found = _FORM.fullmatch(token)
    if found is None:
        return False
    return found[1] is None or compare_digest(token, _tagged(token[:-_TAG], key))


def _tagged(untagged: str, key: bytes) -> str:
    tag = blake2b(untagged.encode(), key=key, person=b"assent-token", digest_size=8).digest()
    return untagged + urlsafe_b64encode(tag).decode()[:_TAG]


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
    token = _tagged(f"assent_{secrets.token_urlsafe(32)}", settings.SUBJECT_KEY[:64])
    credential = ServiceCredential.objects.create(
        name=name,
        token_hash=token_hash(token),
        scopes=sorted(set(scopes)),
        repeatable_answers=repeatable_answers,
        expires_at=timezone.now() + lifetime,
    )
    details = {"scopes": credential.scopes, "repeatable_answers": repeatable_answers, **CREDENTIALS.sealed(credential)}
    trail.record("credential.created", name, actor=actor, details=details)
    return token, credential


@transaction.atomic
def revoke_credential(*, credential: ServiceCredential, actor: str) -> None:
    """Revoke at once: the next request with this token is refused, in every process. Two at once revoke it once."""
    locked = ServiceCredential.objects.select_for_update().get(pk=credential.pk)
    if locked.revoked_at is None:
        locked.revoked_at = timezone.now()
        locked.save(update_fields=["revoked_at"])
        trail.record("credential.revoked", locked.name, actor=actor, details=CREDENTIALS.sealed(locked))
    credential.revoked_at = locked.revoked_at
