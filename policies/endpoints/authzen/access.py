"""Access check of every AuthZEN endpoint: the caller and the rules in force, read in one statement."""

from collections.abc import Collection
from typing import Any, NoReturn
from uuid import UUID

from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.bundles.packages import Package
from policies.decisions import information
from policies.decisions.information import Information, InformationUnavailable
from policies.endpoints import wsgi
from policies.endpoints.credentials import token_hash
from policies.endpoints.wsgi import Refused

SCOPE = "decisions"


def read(subject_ref: UUID, token: str) -> Information:
    """Read what a decision needs. Raises Refused (503)."""
    try:
        return information.read(subject_ref, token_hash(token), SCOPE.encode())
    except InformationUnavailable:
        raise _unavailable() from None


def read_many(refs: Collection[UUID], token: str) -> tuple[Information, dict[UUID, Information]]:
    """Read what decisions about several people need. Raises Refused (503)."""
    try:
        return information.read_many(refs, token_hash(token), SCOPE.encode())
    except InformationUnavailable:
        raise _unavailable() from None


def _unavailable() -> Refused:
    return Refused(503, "information_unavailable", "The database does not answer; deny, and ask again.")


def authorise(known: Information) -> str:
    """Return the caller as the log names it. Raises Refused (401, 403)."""
    return wsgi.check(known.caller, valid=known.credential_valid, has_scope=known.has_scope, scope=SCOPE)


def refuse(detail: str, token: str) -> NoReturn:
    """Refuse a request as invalid; callers without permission do not learn what is wrong with the question."""
    authorise(read(information.NOBODY, token))
    raise Refused(400, "invalid_request", detail)


def bundle_in_force(known: Information) -> LoadedBundle | None:
    """Return the bundle of every decision of this request; None where there is none that can be used."""
    return loading.usable(known.bundle_revision)


def package_for(document: dict[str, Any], bundle: LoadedBundle | None) -> Package | None:
    """Return the package that answers for this type of resource; None means the consent package."""
    if bundle is None or not bundle.packages:
        return None
    resource = document.get("resource")
    kind = resource.get("type") if isinstance(resource, dict) else None
    return bundle.packages.get(kind) if isinstance(kind, str) else None
