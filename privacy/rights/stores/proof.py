"""Grounds on which rows stay after an erasure, and until when."""

from datetime import date

from django.utils.translation import gettext_noop as _

from privacy.models import RecordPeriod
from privacy.retention.own_records import record_periods
from privacy.rights.stores.seam import Kept


def end_of_proof(day: date) -> date:
    """Return when proof of an erasure of a day is redacted: at the end of its record period."""
    return day + record_periods.period(RecordPeriod.Kind.CONSENT_PROOF)


CONSENT = Kept(
    _(
        "Proof of your choices. The law asks us to be able to show them (GDPR Articles 7(1) and 17(3)(b)), and claims"
        " may be made about them (Article 17(3)(e))."
    ),
    end_of_proof,
)
REQUESTS = Kept(_("Proof of how we answered your requests (GDPR Articles 5(2) and 17(3)(e))."), end_of_proof)
