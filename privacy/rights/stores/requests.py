"""Requests of a person: each with its steps and what its erasure removed, as proof; and the files of answers."""

from django.utils.translation import gettext_noop

from privacy.rights.models import AnswerPackage, ErasureStep, RequestStep, RightsRequest
from privacy.rights.stores import proof
from privacy.rights.stores.seam import Description, Fate
from privacy.rights.stores.tables import TableStore, members

REQUESTS = TableStore(
    Description(
        name="requests",
        title=gettext_noop("Your requests"),
        members=members(
            ("id", "string", "request"),
            ("right", "string", "right"),
            ("law", "string", "law"),
            ("region", "string", "region of residence"),
            ("door", "string", "where you asked"),
            ("received_at", "date-time", "received"),
            ("due_on", "date", "answered by"),
            ("closed_at", "date-time", "closed"),
        ),
        origin="from your requests",
        kept="as proof of how they were answered",
        is_provided=False,
        tables=("rights_rightsrequest",),
        fate=Fate.KEPT,
        after=proof.REQUESTS,
    ),
    lambda ref: RightsRequest.objects.filter(subject_ref=ref).order_by("id"),
)
# Of closed requests: the one that asks for this answer goes on meanwhile.
STEPS = TableStore(
    Description(
        name="request_steps",
        title=gettext_noop("How your closed requests went"),
        members=members(
            ("request_id", "string", "request"),
            ("move", "string", "step"),
            ("state", "string", "state after it"),
            ("at", "date-time", "when"),
            ("reason", "string", "reason"),
        ),
        origin="made while we worked on your requests",
        kept="as proof of how they were answered",
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
        title=gettext_noop("What was erased for you"),
        members=members(
            ("request_id", "string", "request"),
            ("store", "string", "kind of data"),
            ("rows", "integer", "entries"),
            ("done_at", "date-time", "when"),
        ),
        origin="made when you asked to be erased",
        kept="as proof of the erasure",
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
        title=gettext_noop("Files made for your requests"),
        members=members(
            ("request_id", "string", "request"),
            ("sha256", "string", "SHA-256 of the files"),
            ("made_at", "date-time", "made"),
            ("expires_at", "date-time", "kept until"),
        ),
        origin="made when you asked for your data",
        kept="30 days, encrypted",
        is_provided=False,
        tables=("rights_answerpackage", "rights_downloadlink"),
    ),
    lambda ref: AnswerPackage.objects.filter(request__subject_ref=ref, request__closed_at__isnull=False).order_by(
        "made_at"
    ),
)
