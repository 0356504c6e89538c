"""Recipients who are informed of a correction, an erasure or a restriction (GDPR, Article 19).

They are written into the step that begins the work, before anything is erased: what a person agreed to says who may
have been given data. Sending it to them is not done here; the list stands in the request.
"""

from uuid import UUID

from django.db.models import Q

from consent.models import ConsentRecord, LegalBasis, Party, Purpose
from privacy.rights.clocks.laws import Right
from privacy.rights.models import RightsRequest

INFORMED_OF = frozenset({Right.RECTIFICATION, Right.ERASURE, Right.RESTRICTION})


def of_person(ref: UUID) -> list[str]:
    """Return the slugs of recipients of purposes that the person agreed to, or that need no consent."""
    agreed = ConsentRecord.objects.filter(subject_id=ref, state=ConsentRecord.State.GIVEN).values("purpose_id")
    without = ~Q(legal_basis=LegalBasis.CONSENT) & Q(is_active=True)
    lists = Purpose.objects.filter(Q(slug__in=agreed) | without).values_list("recipients", flat=True)
    return sorted({slug for each in lists for slug in each})


def informed(request: RightsRequest) -> list[dict[str, str]] | None:
    """Return the recipients that the step which began the work names; None before it, and of other rights."""
    begun = next((step.details for step in request.steps.all() if "recipients" in step.details), None)
    return begun and [{"recipient": slug, "name": name} for slug, name in named(begun["recipients"])]


def named(slugs: list[str]) -> list[tuple[str, str]]:
    """Return slugs with the names of the register, where it still has them."""
    names = dict(Party.objects.filter(slug__in=slugs).values_list("slug", "name"))
    return [(slug, names.get(slug, slug)) for slug in slugs]
