"""Access check of every AuthZEN endpoint: the caller and the rules in force, read in one statement."""

from collections.abc import Collection, Mapping
from typing import NoReturn
from uuid import UUID

from policies.bundles import loading
from policies.bundles.packages import Package
from policies.decisions import information
from policies.decisions.information import Information, InformationUnavailable
from policies.endpoints import wsgi
from policies.endpoints.credentials import token_hash
from policies.endpoints.wsgi import Refused

SCOPE = "decisions"


def read(refs: Collection[UUID], token: str) -> tuple[Information, dict[UUID, Information]]:
    """Read what decisions about these people need, and what does not depend on a person. Raises Refused (503)."""
    known_to = token_hash(token), SCOPE.encode()
    try:
        if len(refs) > 1:
            return information.read_many(refs, *known_to)
        ref = next(iter(refs), information.NO_SUBJECT)
        known = information.read(ref, *known_to)
    except InformationUnavailable:
        raise Refused(503, "information_unavailable", "The database does not answer; deny, and ask again.") from None
    return known, {ref: known}


def authorise(known: Information) -> str:
    """Return the caller as the log names it. Raises Refused (401, 403)."""
    return wsgi.check(known.caller, valid=known.credential_valid, has_scope=known.has_scope, scope=SCOPE)


def refuse(detail: str, token: str) -> NoReturn:
    """Refuse a request as invalid; callers without permission do not learn what is wrong with the question."""
    authorise(read((), token)[0])
    raise Refused(400, "invalid_request", detail)


def packages_in_force(known: Information) -> Mapping[str, Package]:
    """Return the packages beside the consent package by type of resource; none where no bundle can be used."""
    bundle = loading.usable(known.bundle_revision)
    return bundle.packages if bundle else {}
