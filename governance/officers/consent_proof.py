"""Consent proof: the officers' search for one person, with all evidence on one page and in one signed file.

The business's own id arrives in the body of a POST and becomes the pseudonym before anything else happens: it is in no
address, log, history or message. Every look at a person is an event of the audit trail.
"""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit import looks, trail
from audit.looks import LOOKED_UP
from audit.models import AuditEvent
from common import actors
from common.admin_pages.display import who
from common.admin_pages.permissions import requires
from consent.ledger import selectors
from consent.models import DataSubject
from consent.receipts import evidence, issuing
from governance.officers import person_proof

PERMISSION = "consent.view_datasubject"
_MAX_ID_CHARS = 256  # as in the API
_SHORTEST_BEGINNING = 8  # what other pages show of a pseudonym
_HEX = re.compile(r"[0-9a-f]{1,32}")
_allowed = requires(PERMISSION)


def may_look_up(request: HttpRequest) -> bool:
    """Return whether the menu offers the search."""
    return request.user.has_perm(PERMISSION)


@_allowed
@sensitive_post_parameters("business_id")
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Ask for a person; POST leads to the page of their pseudonym."""
    if request.method == "POST":
        return _found(request)
    return render(request, "admin/consent_proof/search.html", _search_context(request))


@sensitive_variables("business_id")
def _found(request: HttpRequest) -> HttpResponse:
    business_id, pseudonym = request.POST.get("business_id", ""), request.POST.get("pseudonym", "")
    if business_id and len(business_id) <= _MAX_ID_CHARS and "\x00" not in business_id:
        return _to(selectors.known_ref(business_id))
    if not pseudonym:
        return _again(request, _("Enter the customer's id, at most 256 characters, or a pseudonym."))
    return _by_pseudonym(request, pseudonym.strip().lower().rstrip("…").replace("-", ""))


def _by_pseudonym(request: HttpRequest, digits: str) -> HttpResponse:
    if not _HEX.fullmatch(digits) or len(digits) < _SHORTEST_BEGINNING:
        return _again(request, _("A pseudonym is made of digits and the letters a to f. Paste 8 of them or more."))
    people = _beginning_with(digits)
    if len(digits) == 32 or len(people) == 1:
        return _to(people[0] if people else UUID(digits))
    if people:
        return _again(request, _("More than one pseudonym begins like this. Paste more of it."))
    looks.record(request, digits, page="consent proof", known=False)
    return _unknown(request, digits)


def _beginning_with(digits: str) -> list[UUID]:
    """Return at most two people; the primary key serves the range."""
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    found = DataSubject.objects.filter(ref__gte=first, ref__lte=last)
    return list(found.order_by("ref").values_list("ref", flat=True)[:2])


def _to(ref: UUID) -> HttpResponse:
    return HttpResponseRedirect(reverse("consent-proof-person", args=[ref]))


def _again(request: HttpRequest, problem: str) -> HttpResponse:
    context = {**_search_context(request), "problem": problem}
    return render(request, "admin/consent_proof/search.html", context, status=400)


@_allowed
@require_safe
def person(request: HttpRequest, ref: UUID) -> HttpResponse:
    """Show everything about one person. Looking is an audit event before it is an answer."""
    subject = DataSubject.objects.filter(ref=ref).first()
    looks.record(request, ref, page="consent proof", known=subject is not None)
    if subject is None:
        return _unknown(request, str(ref))
    context = {**_context(request, _("What one person agreed to")), **person_proof.context(subject)}
    return render(request, "admin/consent_proof/person.html", context)


def _unknown(request: HttpRequest, asked: str) -> HttpResponse:
    context = {**_context(request, _("What one person agreed to")), "asked": asked}
    return render(request, "admin/consent_proof/unknown.html", context)


@_allowed
@require_POST
def download(request: HttpRequest, ref: UUID) -> HttpResponse:
    """Return the evidence as a signed zip; ``evidence.build`` writes it to the audit trail."""
    if not DataSubject.objects.filter(ref=ref).exists():
        messages.warning(request, _("Nothing is known about this person, so there is no evidence to hand out."))
        return HttpResponseRedirect(reverse("consent-proof"))
    file = evidence.build(ref, actor=actors.officer(request), groups=looks.groups_of(request))
    response = HttpResponse(file, content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="consent-evidence-{ref}.zip"'
    return response


@_allowed
@require_safe
def receipt(request: HttpRequest, ref: UUID, revision: int) -> HttpResponse:
    """Return the signed receipt of one save, as the person gets it."""
    try:
        file = issuing.issue(ref, revision)
    except issuing.ReceiptUnknown:
        raise Http404 from None
    trail.record(
        "receipt.exported",
        str(ref),
        actor=actors.officer(request),
        details={"subject_revision": revision, "groups": looks.groups_of(request)},
    )
    response = HttpResponse(json.dumps(file, indent=1, ensure_ascii=False), content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="consent-receipt-{revision}.json"'
    return response


def _context(request: HttpRequest, title: str) -> dict[str, Any]:
    return {**admin.site.each_context(request), "title": title}


def _search_context(request: HttpRequest) -> dict[str, Any]:
    return {**_context(request, _("Consent proof")), "lookups": _lookups(), "log": _log_of_lookups(request)}


def _lookups() -> list[dict[str, Any]]:
    """Count the lookups of each officer in the last 24 hours, most first: never whom they looked up."""
    recent = AuditEvent.objects.filter(action=LOOKED_UP, occurred_at__gte=timezone.now() - timedelta(days=1))
    counted = recent.order_by().values("actor").annotate(times=Count("pk"), people=Count("object", distinct=True))
    return [{**row, "name": who(row["actor"])} for row in counted.order_by("-times", "actor")[:20]]


def _log_of_lookups(request: HttpRequest) -> str:
    if not request.user.has_perm("audit.view_auditevent"):
        return ""
    return reverse("admin:audit_auditevent_changelist") + "?kind=subject"
