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
from django.db.models import Max
from django.utils import timezone

from audit import trail
from audit.sealed_rows import SealedRows
from common.canonical import sha256
from common.http.problems import Conflict, InvalidRequest
from oversight import guard
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


class TokenMade(Conflict):
    code = "token_made"
    title = "The credential has its token already"


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


def refuse_bad_scopes(scopes: Sequence[str]) -> None:
    """Refuse no scope, and one that does not exist. Raises InvalidRequest."""
    unknown = set(scopes) - set(ServiceCredential.Scope.values)
    if unknown or not scopes:
        raise InvalidRequest(f"Name at least one scope out of: {', '.join(ServiceCredential.Scope.values)}.")


def next_number(name: str) -> int:
    """Return the number of the next credential of a name."""
    last = ServiceCredential.objects.filter(name=name).aggregate(last=Max("number"))["last"]
    return int(last or 0) + 1


@transaction.atomic
def create_credential(
    *,
    name: str,
    scopes: Sequence[str],
    actor: str,
    lifetime: timedelta = DEFAULT_LIFETIME,
    repeatable_answers: bool = False,
) -> tuple[str, ServiceCredential]:
    """Return a new Bearer token, shown this once, and its stored credential.

    For commands of the operator, which are past change sets as those that give roles are, and leave this event.
    """
    refuse_bad_scopes(scopes)
    token = _new_token()
    with guard.writing("operator"):
        credential = ServiceCredential.objects.create(
            name=name,
            number=next_number(name),
            token_hash=token_hash(token),
            scopes=sorted(set(scopes)),
            repeatable_answers=repeatable_answers,
            expires_at=timezone.now() + lifetime,
        )
    details = {
        "number": credential.number,
        "scopes": credential.scopes,
        "repeatable_answers": repeatable_answers,
        "expires_at": credential.expires_at.isoformat(),
        **CREDENTIALS.sealed(credential),
    }
    trail.record("credential.created", name, actor=actor, details=details)
    return token, credential


@transaction.atomic
def make_token(credential: ServiceCredential, *, actor: str) -> str:
    """Return the token of a right that came into force without one. It is shown this once. Raises TokenMade."""
    locked = ServiceCredential.objects.select_for_update().get(pk=credential.pk)
    if not locked.may_get_token:
        raise TokenMade(
            "A token is made once, for a credential that is valid. Where it was lost, draft another credential of the"
            " same name and revoke this one."
        )
    token = _new_token()
    ServiceCredential.objects.filter(pk=locked.pk).update(token_hash=token_hash(token))
    locked.refresh_from_db()
    details = {"number": locked.number, **CREDENTIALS.sealed(locked)}
    trail.record("credential.token_made", locked.name, actor=actor, details=details)
    return token


def _new_token() -> str:
    return _tagged(f"assent_{secrets.token_urlsafe(32)}", settings.SUBJECT_KEY[:64])


@transaction.atomic
def revoke_credential(*, credential: ServiceCredential, actor: str) -> None:
    """Revoke at once, by a command of the operator: the next request with this token is refused, in every process.

    Two at once revoke it once.
    """
    locked = ServiceCredential.objects.select_for_update().get(pk=credential.pk)
    if locked.revoked_at is None:
        locked.revoked_at = timezone.now()
        with guard.writing("operator"):
            locked.save(update_fields=["revoked_at"])
        details = {"number": locked.number, **CREDENTIALS.sealed(locked)}
        trail.record("credential.revoked", locked.name, actor=actor, details=details)
    credential.revoked_at = locked.revoked_at
