"""What is known of a requester: language, address while the request is open, and for whom they ask."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from consent import pseudonyms
from consent.models import DataSubject
from privacy.rights.clocks.laws import Right, applicable
from privacy.rights.models import RightsRequest
from privacy.rights.requesters.models import Requester
from privacy.rights.requesters.proof import Acting, Proof, is_enough
from privacy.rights.requests import statements
from privacy.rights.requests.states import State

_ADDRESSES = "contact address"
# Requests whose address is not proven yet: anyone may have typed it, so they are no officer's work.
_BEFORE_PROOF = (State.RECEIVED, State.IDENTITY_ASKED)
UNPROVEN = Q(state__in=_BEFORE_PROOF, requester__address_tag__isnull=False, requester__proven_at=None)


def of(request: RightsRequest) -> Requester | None:
    return Requester.objects.filter(request=request).first()


@dataclass(frozen=True, kw_only=True)
class Asks:
    """Who asks, as a door has it: in which language, for whom, at which address, until when the mandate lasts."""

    acting: Acting = Acting.SELF
    locale: str = ""
    address: str = ""
    is_persons_address: bool = False
    mandate_until: date | None = None


def keep(request: RightsRequest, asks: Asks) -> Requester:
    """Keep who asks; an address is sealed under a key of its own, which ends with the request."""
    found = Requester(request=request, acting=asks.acting, locale=asks.locale or settings.LANGUAGE_CODE)
    found.mandate_until, found.is_persons_address = asks.mandate_until, asks.is_persons_address
    if asks.address:
        found.address, found.address_salt = statements.seal_text(asks.address)
        found.address_tag = tag(asks.address)
    found.save(force_insert=True)
    return found


def locale_of(request: RightsRequest) -> str:
    found = of(request)
    return found.locale if found else settings.LANGUAGE_CODE


def address_of(found: Requester | None) -> str | None:
    """Return the address; None where there was none, or where it has ended with the request."""
    return statements.unseal_text(found.address, found.address_salt) if found else None


def forget_address(request: RightsRequest) -> None:
    Requester.objects.filter(request=request).update(address=None, address_salt=None, code_hash=None)


def tag(address: str) -> UUID:
    """Return the pseudonym that recognises an address which is typed again."""
    return pseudonyms.subject_ref(address.casefold(), subject_type=_ADDRESSES)


def acting_of(found: Requester | None) -> Acting:
    return Acting(found.acting) if found else Acting.SELF


def is_person(found: Requester | None) -> bool:
    """Return whether who proves the address is the person, also where an agent asked."""
    return found is None or found.is_persons_address or found.acting == Acting.SELF


def has_mandate(found: Requester | None, day: date) -> bool:
    """Return whether a requester still acts; who asks for themselves always does."""
    if found is None:
        return True
    return found.mandate_withdrawn_at is None and (found.mandate_until is None or found.mandate_until >= day)


def accepts(request: RightsRequest, found: Requester | None, proof: Proof) -> bool:
    """Return whether a proof accepts this request without an officer."""
    acting = Acting.SELF if is_person(found) else acting_of(found)
    return _is_enough(request, _worth(request, proof), Right(request.right), acting)


def opens_session(request: RightsRequest, found: Requester | None) -> bool:
    """Return whether who proved the address may have the person's page: it shows and gives all that an access does."""
    proof = _worth(request, Proof.ADDRESS)
    return is_person(found) and _is_enough(request, proof, Right.ACCESS, Acting.SELF)


def _worth(request: RightsRequest, proof: Proof) -> Proof:
    """Return what a proof is worth: an address proves a person only where it is their id in the register.

    Not where an officer has said that the request is about a person with another id, nor where this one is unknown.
    """
    is_id = DataSubject.objects.filter(pk=request.subject_ref).exists() and not was_matched(request)
    return Proof.NONE if proof is Proof.ADDRESS and not is_id else proof


def is_unproven(request: RightsRequest) -> bool:
    """Return whether the address of a request still waits to be proven; once it is accepted, nothing is asked."""
    return request.state in _BEFORE_PROOF and RightsRequest.objects.filter(UNPROVEN, pk=request.pk).exists()


def was_matched(request: RightsRequest) -> bool:
    """Return whether an officer has said whom the request is about."""
    return request.steps.filter(move="match").exists()


def _is_enough(request: RightsRequest, proof: Proof, right: Right, acting: Acting) -> bool:
    """Return whether a proof is enough under every law that may protect the person, wherever they say they live."""
    known = DataSubject.objects.filter(pk=request.subject_ref).values_list("region", flat=True).first()
    found = {law.slug for region in {request.region, known or request.region} for law in applicable(region)}
    return all(is_enough(proof, right, law, acting) for law in {request.law, *found})
