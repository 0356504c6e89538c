"""Choices of a person with what they agreed to, and answers kept for calls that are repeated."""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_noop as _

from consent.models import ConsentRecord, NoticeTerms, SavedRequest
from privacy.rights.stores import proof
from privacy.rights.stores.seam import Description, Fate
from privacy.rights.stores.tables import TableStore, members

# An answer is of the instant of its records, which the index finds, and names them.
_ANSWERS = """
SELECT s.key FROM consent_consentrecord r JOIN consent_savedrequest s ON s.created_at = r.recorded_at
  AND s.response @> jsonb_build_object('records', jsonb_build_array(jsonb_build_object('id', r.id::text)))
WHERE r.subject_id = %s
"""


def _terms_of(ref: UUID) -> QuerySet[NoticeTerms]:
    agreed = ConsentRecord.objects.filter(
        subject_id=ref, purpose_id=OuterRef("purpose"), notice_version=OuterRef("version")
    )
    return NoticeTerms.objects.filter(Exists(agreed)).order_by("purpose", "version")


CONSENTS = TableStore(
    Description(
        name="consents",
        title=_("Your choices"),
        members=members(
            ("id", "string", _("record")),
            ("purpose_id", "string", _("purpose")),
            ("scope", "string", _("part of the purpose")),
            ("state", "string", _("choice")),
            ("explicit", "boolean", _("explicit")),
            ("notice_version", "integer", _("version of the notice")),
            ("source", "string", _("where you chose")),
            ("actor", "string", _("who recorded it")),
            ("recorded_at", "date-time", _("when")),
            ("expires_at", "date-time", _("until")),
            ("proof", "object", _("what was shown and how it was asked")),
        ),
        origin=_("from you"),
        kept=_("as proof of your choice, until claims about it have lapsed"),
        is_provided=True,
        tables=("consent_consentrecord",),
        fate=Fate.KEPT,
        after=proof.CONSENT,
    ),
    lambda ref: ConsentRecord.objects.filter(subject_id=ref).order_by("recorded_at", "id"),
)
TERMS = TableStore(
    Description(
        name="terms",
        title=_("What you were asked to agree to"),
        members=members(
            ("purpose", "string", _("purpose")),
            ("version", "integer", _("version of the notice")),
            ("content", "string", _("data, recipients and use it covered")),
            ("frozen_at", "date-time", _("since")),
        ),
        origin=_("from us: the notices that your choices name"),
        kept=_("as long as the choices that name them"),
        is_provided=False,
        tables=(),
        fate=Fate.KEPT,
        after=proof.CONSENT,
    ),
    _terms_of,
)
SAVED_ANSWERS = TableStore(
    Description(
        name="saved_answers",
        title=_("Answers kept in case a call is repeated"),
        members=members(("response", "object", _("answer")), ("created_at", "date-time", _("when"))),
        origin=_("made when a choice of yours was saved"),
        kept=_("7 days"),
        is_provided=False,
        tables=("consent_savedrequest",),
    ),
    lambda ref: SavedRequest.objects.filter(key__in=RawSQL(_ANSWERS, [ref])).order_by("created_at"),  # noqa: S611
)
