"""Events as a data set: what retention and withdrawal delete, and what answers to people's requests are made of."""

from django.utils.translation import gettext_noop as _

from personalization.models import Event
from privacy.retention.tables import Table
from privacy.rights.stores.seam import Description, Member
from privacy.rights.stores.tables import TableStore

# The id is a digest of the sender and its event id already: the manifest holds it as it is.
EVENTS = Table(name="events", table="personalization_event")

EVENTS_FOR_ANSWERS = TableStore(
    Description(
        name="events",
        title=_("What you looked at, liked, rated or bought"),
        members=(
            Member("id", "string", _("event")),
            Member("purpose", "string", _("purpose")),
            Member("kind", "string", _("what you did")),
            Member("item_id", "string", _("item")),
            Member("item__title", "string", _("title")),
            Member("value", "integer", _("rating")),
            Member("occurred_at", "date-time", _("when")),
            Member("received_at", "date-time", _("received")),
        ),
        origin=_("from you, or observed while you used the service"),
        kept=_("as long as the purpose's retention period says, or until you turn the purpose off"),
        is_provided=True,
        tables=("personalization_event",),
    ),
    lambda ref: Event.objects.filter(subject_ref=ref).order_by("occurred_at", "id"),
)
