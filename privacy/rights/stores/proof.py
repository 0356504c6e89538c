"""Grounds on which rows stay after an erasure, and until when."""

from datetime import date

from django.conf import settings
from django.utils.translation import gettext_noop as _

from privacy.rights.stores.seam import Kept


def end_of_proof(day: date) -> date:
    """Return the last day on which a claim about a choice may be made: the end of a year, so many years later."""
    return date(day.year + settings.PROOF_YEARS, 12, 31)


CONSENT = Kept(
    _(
        "Proof of your choices. The law asks us to be able to show them (GDPR Articles 7(1) and 17(3)(b)), and claims"
        " may be made about them (Article 17(3)(e))."
    ),
    end_of_proof,
)
REQUESTS = Kept(_("Proof of how we answered your requests (GDPR Articles 5(2) and 17(3)(e))."), end_of_proof)
