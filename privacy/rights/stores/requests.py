"""Requests of a person: each with its steps and what its erasure removed, as proof; and the files of answers."""

from django.db.models import F
from django.utils.translation import gettext_noop as _

from privacy.rights.models import AnswerPackage, ErasureStep, RequestStep, RightsRequest
from privacy.rights.stores import proof
from privacy.rights.stores.seam import Description, Fate
from privacy.rights.stores.tables import TableStore, members

# Where that was not the person's own session.
_WHO_ASKED = {
    "acting": F("requester__acting"),
    "mandate_until": F("requester__mandate_until"),
    "mandate_withdrawn_at": F("requester__mandate_withdrawn_at"),
    "agent": F("agent_request__agent__name"),
    "agent_request_id": F("agent_request__agent_request_id"),
}
REQUESTS = TableStore(
    Description(
        name="requests",
        title=_("Your requests"),
        members=members(
            ("id", "string", _("request")),
            ("right", "string", _("right")),
            ("law", "string", _("law")),
            ("region", "string", _("region of residence")),
            ("door", "string", _("where you asked")),
            ("received_at", "date-time", _("received")),
            ("due_on", "date", _("answered by")),
            ("closed_at", "date-time", _("closed")),
            ("acting", "string", _("who asked for you")),
            ("mandate_until", "date", _("mandate until")),
            ("mandate_withdrawn_at", "date-time", _("mandate withdrawn")),
            ("agent", "string", _("agent")),
            ("agent_request_id", "string", _("the agent's id of the request")),
        ),
        origin=_("from your requests"),
        kept=_("as proof of how they were answered"),
        is_provided=False,
        tables=("rights_rightsrequest", "rights_agentrequest"),
        fate=Fate.KEPT,
        after=proof.REQUESTS,
    ),
    lambda ref: RightsRequest.objects.filter(subject_ref=ref).annotate(**_WHO_ASKED).order_by("id"),
)
# Of closed requests: the one that asks for this answer is still open.
STEPS = TableStore(
    Description(
        name="request_steps",
        title=_("How your closed requests went"),
        members=members(
            ("request_id", "string", _("request")),
            ("move", "string", _("step")),
            ("state", "string", _("state after it")),
            ("at", "date-time", _("when")),
            ("reason", "string", _("reason")),
        ),
        origin=_("made while we worked on your requests"),
        kept=_("as proof of how they were answered"),
        is_provided=False,
        tables=("rights_requeststep", "rights_blocker"),
        fate=Fate.KEPT,
        after=proof.REQUESTS,
    ),
    lambda ref: RequestStep.objects.filter(request__subject_ref=ref, request__closed_at__isnull=False).order_by("id"),
)
ERASURES = TableStore(
    Description(
        name="erasures",
        title=_("What was erased for you"),
        members=members(
            ("request_id", "string", _("request")),
            ("store", "string", _("kind of data")),
            ("rows", "integer", _("entries")),
            ("done_at", "date-time", _("when")),
        ),
        origin=_("made when you asked to be erased"),
        kept=_("as proof of the erasure"),
        is_provided=False,
        tables=("rights_erasurestep",),
        fate=Fate.KEPT,
        after=proof.REQUESTS,
    ),
    lambda ref: ErasureStep.objects.filter(request__subject_ref=ref, request__closed_at__isnull=False).order_by("id"),
)
FILES = TableStore(
    Description(
        name="answer_files",
        title=_("Files made for your requests"),
        members=members(
            ("request_id", "string", _("request")),
            ("sha256", "string", _("SHA-256 of the files")),
            ("made_at", "date-time", _("made")),
            ("expires_at", "date-time", _("kept until")),
        ),
        origin=_("made when you asked for your data"),
        kept=_("30 days, encrypted"),
        is_provided=False,
        tables=("rights_answerpackage", "rights_downloadlink"),
    ),
    lambda ref: AnswerPackage.objects.filter(request__subject_ref=ref, request__closed_at__isnull=False).order_by(
        "made_at"
    ),
)
