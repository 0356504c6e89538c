"""Change sets as subjects of approvals."""

from django.urls import reverse

from oversight.approvals.subjects import Kind, Subject
from oversight.models import ChangeSet


def subject_of(change_set: ChangeSet) -> Subject:
    """Return a set as what a second officer approves."""
    return Subject(
        kind=ChangeSet.SUBJECT,
        key=str(change_set.pk),
        digest=change_set.digest,
        title=change_set.title,
        author=change_set.author_name,
        account=change_set.author_id,
        reason=change_set.reason,
        trail_object=f"changes {change_set.pk}",
    )


CHANGES = Kind(
    slug=ChangeSet.SUBJECT,
    noun="change set",
    right="oversight.approve_changeset",
    load=lambda key: subject_of(ChangeSet.objects.defer("preview", "findings").get(pk=key)),
    url=lambda key: reverse("change-set", args=[key]),
    waits="Change set to approve",
    reviewed="A change set was applied alone",
)
