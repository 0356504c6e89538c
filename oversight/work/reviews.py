"""Work that follows change sets: another officer approves what was proposed, and looks at what one did alone."""

from datetime import timedelta
from typing import Any

from django.urls import reverse

from common.admin_pages.display import who
from oversight.models import ChangeSet, WorkItem
from oversight.work import items
from oversight.work.kinds import Kind


def _url(object_name: str) -> str:
    return reverse("change-set", args=[object_name])


def _describe(object_name: str) -> str:
    change_set = ChangeSet.objects.only("title", "author_name", "reason").get(pk=object_name)
    because = f": “{change_set.reason}”" if change_set.reason else "."
    return f"{change_set.title}, by {who(change_set.author_name)}{because}"


def _is_another(item: WorkItem, user: Any) -> bool:
    """Return whether the set is another officer's: its author cannot second it."""
    return not ChangeSet.objects.filter(pk=item.object, author_id=user.pk).exists()


APPROVAL = Kind(
    slug="changes-approval",
    title="Change set to approve",
    due=timedelta(days=3),
    permission="oversight.approve_changeset",
    url=_url,
    describe=_describe,
    may_see=_is_another,
)
REVIEW = Kind(
    slug="changes-review",
    title="A change set was applied alone",
    severity="now",
    due=timedelta(days=1),
    permission="oversight.approve_changeset",
    url=_url,
    describe=_describe,
    may_see=_is_another,
)


def ask(kind: Kind, change_set: ChangeSet, *, actor: str) -> None:
    """Open the work of a kind on a set."""
    items.open_item(kind.slug, str(change_set.pk), actor=actor)


def done(kind: Kind, change_set: ChangeSet, *, actor: str, outcome: str = "") -> None:
    """Close the work of a kind on a set, if there is any."""
    item = items.find_open(kind.slug, str(change_set.pk))
    if item is not None:
        items.finish(item, actor=actor, outcome=outcome)


def no_longer_needed(kind: Kind, change_set: ChangeSet, *, actor: str) -> None:
    """Void the work of a kind on a set, if there is any."""
    item = items.find_open(kind.slug, str(change_set.pk))
    if item is not None:
        items.void(item, actor=actor)
