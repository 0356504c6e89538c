"""Access check of every AuthZEN endpoint: the caller and the rules in force, read in one statement."""

from collections.abc import Collection, Mapping
from typing import NoReturn
from uuid import UUID

from policies.bundles import loading
from policies.bundles.packages import Package
from policies.decisions import information
from policies.decisions.information import Information, InformationUnavailable, Wanted
from policies.endpoints import wsgi
from policies.endpoints.credentials import token_hash
from policies.endpoints.wsgi import Refused

SCOPE = "decisions"


def read(subject_ref: UUID, token: str) -> Information:
    """Read what a decision needs. Raises Refused (503)."""
    try:
        return information.read(subject_ref, token_hash(token), SCOPE.encode())
    except InformationUnavailable:
        raise unavailable() from None


def wanted(subject_ref: UUID, token: str) -> Wanted:
    """Return the same for a caller that executes the statement elsewhere."""
    return Wanted(subject_ref, token_hash(token), SCOPE.encode())


def read_many(refs: Collection[UUID], token: str) -> tuple[Information, dict[UUID, Information]]:
    """Read the same for decisions about several people. Raises Refused (503)."""
    try:
        return information.read_many(refs, token_hash(token), SCOPE.encode())
    except InformationUnavailable:
        raise unavailable() from None


def unavailable() -> Refused:
    return Refused(503, "information_unavailable", "The database does not answer; deny, and ask again.")


def authorise(known: Information) -> str:
    """Return the caller as the log names it. Raises Refused (401, 403)."""
    return wsgi.check_known(known, SCOPE)


def refuse(detail: str, token: str) -> NoReturn:
    """Refuse a request as invalid; callers without permission do not learn what is wrong with the question."""
    authorise(read(information.NO_SUBJECT, token))
    raise Refused(400, "invalid_request", detail)


def packages_in_force(known: Information) -> Mapping[str, Package]:
    """Return the packages beside the consent package by type of resource; none where no bundle can be used."""
    bundle = loading.usable(known.bundle_revision)
    return bundle.packages if bundle else {}
