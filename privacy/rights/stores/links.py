"""Links to a person's privacy page, and the sessions they opened."""

from django.utils.translation import gettext_noop as _

from consent.models import SubjectLink
from privacy.rights.stores.seam import Description
from privacy.rights.stores.tables import TableStore, members

LINKS = TableStore(
    Description(
        name="dashboard_links",
        title=_("Links to your privacy page"),
        members=members(
            ("issued_by", "string", _("issued by")),
            ("issued_at", "date-time", _("issued")),
            ("expires_at", "date-time", _("valid until")),
            ("opened_at", "date-time", _("opened")),
            ("last_used_at", "date-time", _("last used")),
            ("revoked_at", "date-time", _("taken back")),
        ),
        origin=_("made when you asked for a link or signed in"),
        kept=_("one day after it has ended"),
        is_provided=False,
        tables=("consent_subjectlink",),
    ),
    lambda ref: SubjectLink.objects.filter(subject_ref=ref).order_by("issued_at"),
)
