"""Showings as a data set: what retention and withdrawal delete, and what answers to people's requests are made of."""

from django.utils.translation import gettext_noop as _

from personalization.showings.models import Showing
from privacy.retention.schedules import Action, Trigger, Way
from privacy.retention.tables import Table
from privacy.rights.stores.seam import Description
from privacy.rights.stores.tables import TableStore, members

SHOWINGS = Table(
    name="showings",
    table="personalization_showing",
    key_type="bigint",
    key_digest="substring(sha256(int8send(id)) FOR 16)",
)
WAYS: dict[Way, Table] = {
    (Trigger.RECEIVED, Action.DELETE): SHOWINGS,
    (Trigger.ACTIVITY, Action.DELETE): SHOWINGS,
    (Trigger.CONTRACT, Action.DELETE): SHOWINGS,
}
REFUSALS: dict[str, str] = {
    Action.ANONYMISE: "A showing without its person is counted by the monitors already.",
    Action.AGGREGATE: "A showing without its person is counted by the monitors already.",
    Action.KEEP: "No law asks to keep showings.",
    Trigger.WITHDRAWAL: "Showings go at once when their purpose is withdrawn.",
    Trigger.WINDOW: "A cap looks back over days, and what is older goes with the next showing.",
}
SHOWINGS_FOR_ANSWERS = TableStore(
    Description(
        name="showings",
        title=_("How often you were shown what"),
        members=members(
            ("purpose", "string", _("purpose")),
            ("item", "string", _("item")),
            ("days", "array", _("days")),
        ),
        origin=_("observed while you used the service"),
        kept=_("as long as a frequency cap looks back, or until you turn the purpose off"),
        is_provided=True,
        tables=("personalization_showing",),
    ),
    lambda ref: Showing.objects.filter(subject_ref=ref).order_by("item", "pk"),
)
