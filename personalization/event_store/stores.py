"""Events as a data set: what retention and withdrawal delete, and what answers to people's requests are made of."""

from typing import Any

from django.utils.translation import gettext_noop as _

from common.suppression import smallest_group
from personalization.event_store.window import may_keep_all
from personalization.models import Event
from privacy.retention.data_sets.counted import Counted
from privacy.retention.data_sets.windows import Window
from privacy.retention.schedules import Action, Trigger, Way
from privacy.retention.tables import Table
from privacy.rights.stores.seam import Description, Member
from privacy.rights.stores.tables import TableStore

# The id is a digest of the sender and its event id already: the manifest holds it as it is.
_PLACE: dict[str, Any] = {"name": "events", "table": "personalization_event", "kind": "kind"}
EVENTS = Table(**_PLACE)


COUNTED = Counted(
    **_PLACE, counts="personalization_eventcount", groups=("purpose", "kind", "item_id"), smallest=smallest_group
)
WINDOW = Window(**_PLACE, newest="occurred_at DESC, id DESC", may_keep_all=may_keep_all)
WAYS: dict[Way, Table] = {
    (Trigger.RECEIVED, Action.DELETE): EVENTS,
    (Trigger.ACTIVITY, Action.DELETE): EVENTS,
    (Trigger.CONTRACT, Action.DELETE): EVENTS,
    (Trigger.WINDOW, Action.DELETE): WINDOW,
    (Trigger.RECEIVED, Action.AGGREGATE): COUNTED,
    (Trigger.RECEIVED, Action.KEEP): EVENTS,
}
REFUSALS: dict[str, str] = {
    Action.ANONYMISE: (
        "An event without its person is a count. Choose to keep counts of groups, which are large enough then."
    ),
    Action.AGGREGATE: "Counts are made of whole days of receipt. Let the time count from when data was received.",
    Action.KEEP: "A legal minimum counts from when data was received.",
    Trigger.WITHDRAWAL: "Events go at once when their purpose is withdrawn. There is nothing left to count a time for.",
}

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
            Member("value", "integer", _("rating, or seconds")),
            Member("amount", "string", _("amount")),
            Member("currency", "string", _("currency")),
            Member("occurred_at", "date-time", _("when")),
            Member("received_at", "date-time", _("received")),
        ),
        origin=_("from you, or observed while you used the service"),
        kept=_("as long as the purpose's retention period says, or until you turn the purpose off"),
        is_provided=True,
        tables=("personalization_event", "personalization_onlinefeatures"),
    ),
    lambda ref: Event.objects.filter(subject_ref=ref).order_by("occurred_at", "id"),
)
