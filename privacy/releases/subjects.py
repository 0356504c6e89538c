"""Releases of tables as subjects of approvals: the document that a second officer reads, by its digest."""

from uuid import UUID

from django.urls import reverse

from oversight.approvals.subjects import Kind, Subject
from privacy.models import TableRelease

VIEW, PREPARE = "privacy.view_tablerelease", "privacy.add_tablerelease"
APPROVE = "privacy.approve_tablerelease"


def of_release(release: TableRelease) -> Subject:
    """Return a release as what a second officer approves."""
    return Subject(
        kind=RELEASE.slug,
        key=str(release.pk),
        digest=release.digest,
        title=f"Release of {release.table.name} to {', '.join(release.receivers)}",
        author=release.author,
        account=release.account,
        reason=release.asked.get("reason", ""),
    )


RELEASE = Kind(
    slug="release",
    noun="release",
    right=APPROVE,
    load=lambda key: of_release(TableRelease.objects.select_related("table").get(pk=UUID(key))),
    url=lambda key: reverse("release", args=[key]),
    waits="Release of a table to approve",
)
