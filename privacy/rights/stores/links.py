"""Links to a person's privacy page, and the sessions they opened."""

from django.utils.translation import gettext_noop

from consent.models import SubjectLink
from privacy.rights.stores.seam import Description
from privacy.rights.stores.tables import TableStore, members

LINKS = TableStore(
    Description(
        name="dashboard_links",
        title=gettext_noop("Links to your privacy page"),
        members=members(
            ("issued_by", "string", "issued by"),
            ("issued_at", "date-time", "issued"),
            ("expires_at", "date-time", "valid until"),
            ("opened_at", "date-time", "opened"),
            ("last_used_at", "date-time", "last used"),
            ("revoked_at", "date-time", "taken back"),
        ),
        origin="made when you asked for a link or signed in",
        kept="one day after it has ended",
        is_provided=False,
        tables=("consent_subjectlink",),
    ),
    lambda ref: SubjectLink.objects.filter(subject_ref=ref).order_by("issued_at"),
)
