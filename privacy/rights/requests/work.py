"""Work that requests give officers: one item for each open request, due before the law's day."""

from datetime import datetime, timedelta

from django.urls import reverse

from consent.register.jurisdictions.clocks import midnight
from oversight.work import items
from oversight.work.kinds import Kind
from privacy.rights.models import RightsRequest
from privacy.rights.requesters import requester

# An item that is not done by then is escalated: time enough to answer, or to announce an extension.
AHEAD = timedelta(days=5)


def _url(object_name: str) -> str:
    return reverse("rights-request", args=[object_name])


def _describe(object_name: str) -> str:
    request = RightsRequest.objects.only("right", "law", "due_on", "state").get(pk=object_name)
    due = f"due {request.due_on:%-d %B %Y}" if request.due_on else "its clock stands still"
    return f"{request.get_right_display()} ({request.law}), {request.get_state_display().lower()}: {due}."


REQUEST = Kind(
    slug="rights-request",
    title="Request of a person",
    due=timedelta(days=5),
    permission="rights.change_rightsrequest",
    url=_url,
    describe=_describe,
)


def follow(request: RightsRequest, *, actor: str) -> None:
    """Open, move or close the item of a request, as it now stands. One whose address is not proven has none yet."""
    name = str(request.pk)
    if requester.is_unproven(request):
        return
    if request.is_open:
        items.open_item(REQUEST.slug, name, actor=actor, due_at=_due_at(request))
        return
    item = items.find_open(REQUEST.slug, name)
    if item is not None:
        items.finish(item, actor=actor, outcome=request.state)


def _due_at(request: RightsRequest) -> datetime:
    """Return when the item is escalated: some days before the end, but never before half of the time has passed."""
    day = request.due_on or request.received_on + timedelta(days=90)
    ahead = min(AHEAD, (day - request.received_on) / 2)
    return midnight(day + timedelta(days=1), request.region) - ahead
