"""Decision log as a store of personal data: decisions about a person, as far back as they can be found again."""

from datetime import date, timedelta

from django.utils.translation import gettext_noop as _

from policies.decision_log import pseudonyms
from policies.models import Decision
from privacy.rights.stores.seam import Description, Fate, Kept
from privacy.rights.stores.tables import TableStore, members


def _end_of_key(day: date) -> date:
    """Return when the key of a month is destroyed: as the one of so many months later comes."""
    month = day
    for _number in range(pseudonyms.KEPT_PERIODS):
        month = (month.replace(day=1) + timedelta(days=32)).replace(day=1)
    return month


DECISIONS = TableStore(
    Description(
        name="decisions",
        title=_("Decisions about the use of your data"),
        members=members(
            ("id", "string", _("decision")),
            ("decided_at", "date-time", _("when")),
            ("caller", "string", _("who asked")),
            ("action", "string", _("for what use")),
            ("purpose", "string", _("purpose")),
            ("outcome", "string", _("answer")),
            ("level", "string", _("level")),
            ("reasons", "array", _("reasons")),
        ),
        origin=_("made whenever a service asked whether it may use your data"),
        kept=_("under a pseudonym of the month; after three months no one can say whose they are"),
        is_provided=False,
        tables=("policies_decision", "policies_periodkey"),
        fate=Fate.KEPT,
        after=Kept(
            _(
                "Log of decisions under a pseudonym of the month (GDPR Article 5(2)). Once the key of the month is"
                " destroyed, no one can say whose they were."
            ),
            _end_of_key,
        ),
    ),
    lambda ref: Decision.objects.filter(subject_tag__in=pseudonyms.tags_of(ref)).order_by("id"),
)
