"""Address of a request's own page, for people without a session: signed, so that no address can be guessed.

The page shows no personal data; what does is behind a code.
"""

from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from privacy.rights.models import RightsRequest

_SIGNER = signing.Signer(salt="privacy.rights.requesters.pages", sep="~")


def token(request: RightsRequest) -> str:
    return _SIGNER.sign(str(request.pk))


def url(request: RightsRequest) -> str:
    return f"{settings.PUBLIC_URL}{reverse('outside-request', args=[token(request)])}"


def request_of(text: str) -> UUID | None:
    """Return the request that a page's token names; None for one that was not made here."""
    try:
        return UUID(_SIGNER.unsign(text))
    except (signing.BadSignature, ValueError):
        return None
