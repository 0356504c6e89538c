"""Register of service credentials: which service may call for what, and until when. Never a token or its hash."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from oversight.changes import applying, drafting, preview
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet
from oversight.problems import ChangeRefused
from oversight.registers import Document, Register
from oversight.rows import document_of, key_of
from policies.endpoints.credentials import CREDENTIALS
from policies.models import ServiceCredential

_FINAL = "A credential that was revoked stays revoked. Draft another one of the same name."


def credential_narrows(before: Document | None, after: Document | None) -> bool:
    """Return whether a service may do less after the change, or for a shorter time, and nothing more."""
    if before is None or after is None:
        return False
    return all(_member_narrows(name, before[name], after[name]) for name in before)


def _member_narrows(name: str, old: Any, new: Any) -> bool:
    if old == new:
        return True
    if name == "scopes":
        return set(new) <= set(old)
    return (name == "expires_at" and new <= old) or (name == "revoked_at" and old is None)


def credential_inverse(before: Document | None, after: Document | None) -> tuple[str, Document | None] | None:
    """Return the revocation of what was granted, or what stood before. Raises ChangeRefused for a revocation."""
    if after is None:
        return None
    if after["revoked_at"] is not None:
        raise ChangeRefused(_FINAL)
    key = f"{after['name']}/{after['number']}"
    return key, before if before is not None else {**after, "revoked_at": timezone.now().isoformat()}


def _save(credential: Any, created: bool) -> None:
    """Save the right; its token is no part of it. Raises ChangeRefused."""
    if "/" in credential.name and created:
        raise ChangeRefused("The name of a service has no “/”.")
    stored = None if created else ServiceCredential.objects.filter(pk=credential.pk).first()
    if stored is not None and stored.revoked_at is not None and stored.revoked_at != credential.revoked_at:
        raise ChangeRefused(_FINAL)
    credential.scopes = sorted(set(credential.scopes))
    credential.save()


def _in_words(member: str, content: Any) -> Any:
    """Return scopes by what they let a service do."""
    return [str(ServiceCredential.Scope(scope).label) for scope in content or ()] if member == "scopes" else content


SERVICE_CREDENTIAL = Register(
    name="service_credential",
    title="Service credential",
    model=ServiceCredential,
    key=("name", "number"),
    omits=("token_hash", "created_at"),
    in_bundle=False,
    is_local=True,
    keeps=True,
    narrows=credential_narrows,
    inverse=credential_inverse,
    in_words=_in_words,
    save=_save,
    sealed=CREDENTIALS,
)


@transaction.atomic
def revoke(credential: ServiceCredential, *, actor: str) -> ChangeSet:
    """Revoke at once as one officer's protective set, which another one looks at afterwards. Raises NothingChanged."""
    document = document_of(SERVICE_CREDENTIAL, credential)
    if document["revoked_at"] is None:
        document["revoked_at"] = timezone.now().isoformat()
    proposed = [Proposed(SERVICE_CREDENTIAL.name, key_of(SERVICE_CREDENTIAL, credential), document)]
    title = f"Revoke service credential “{credential.name}”"
    change_set = preview.check(drafting.draft(proposed, title=title, actor=actor))
    return applying.apply_protectively(change_set, actor=actor, reason="")
