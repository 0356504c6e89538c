"""Receipts of a person: to read, to print, and to keep as a signed file."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from audit import signing
from consent import counts
from consent.ledger.selectors import Described
from consent.models import SubjectLink
from consent.receipts import content, exports, issuing
from consent.register import jurisdictions, words
from governance.privacy_center.levels import limit_label
from governance.privacy_center.sessions import for_session

_STATES = {
    "given": _("You allowed it"),
    "refused": _("You said no"),
    "withdrawn": _("You turned it off"),
    "objected": _("You objected"),
}

# Laws whose name differs by language; the others go by the name in their pack.
_LAWS = {
    "br": _("Brazil (LGPD)"),
    "default": _("Strictest default"),
    "gdpr": _("GDPR (EEA)"),
    "in": _("India (DPDP Act)"),
    "uk-gdpr": _("UK GDPR"),
    "us": _("United States, states without binding signals"),
}


@require_safe
@for_session
def page(request: HttpRequest, session: SubjectLink, revision: int) -> HttpResponse:
    """Show the receipt of one save as a page that prints well."""
    try:
        file = issuing.issue(session.subject_ref, revision)
    except issuing.ReceiptUnknown:
        return _unknown(request)
    return render(request, "privacy/receipt.html", _context(file["receipt"], revision))


@require_safe
@for_session
def download(request: HttpRequest, session: SubjectLink, revision: int, form: str) -> HttpResponse:
    """Return the signed file, or the same content in DPV's or Kantara's terms."""
    try:
        file = issuing.issue(session.subject_ref, revision)
    except issuing.ReceiptUnknown:
        return _unknown(request)
    content, media_type = _in_form(file, form)
    if content is None:
        return _unknown(request)
    counts.count(counts.What.RECEIPT_DOWNLOADED)
    response = HttpResponse(json.dumps(content, indent=1, ensure_ascii=False), content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="consent-receipt-{revision}-{form}.json"'
    return response


def _in_form(file: dict[str, Any], form: str) -> tuple[dict[str, Any] | None, str]:
    """Return the content and its type; no content where the form cannot say it."""
    if form == "dpv":
        return exports.as_json_ld(file["receipt"]), "application/ld+json"
    if form == "kantara":
        key = signing.published_keys()["keys"][0]
        return exports.as_kantara(file["receipt"], public_key=json.dumps(key)), "application/json"
    return file, "application/json"


def _unknown(request: HttpRequest) -> HttpResponse:
    return render(request, "errors/404.html", status=404)


def _context(receipt: dict[str, Any], revision: int) -> dict[str, Any]:
    record = receipt["consent_record"]
    language = get_language() or "en"
    pairs = zip(record["processing"], record["events"], strict=True)
    return {
        "business_name": settings.BUSINESS_NAME,
        "revision": revision,
        "receipt_id": receipt["receipt_id"],
        "issued_at": parse_datetime(receipt["issued_at"]),
        "parties": record["parties"],
        "has_kantara": exports.gives_consent(receipt),
        "choices": [
            {
                **_choice(processing, event, _described(processing, language)),
                "recipients": content.recipients_of(processing, record["parties"]),
            }
            for processing, event in pairs
        ],
        "person": UUID(record["pii_principal_id"]),
    }


def _law_name(slug: str) -> str | Promise:
    if slug in _LAWS:
        return _LAWS[slug]
    return next((pack.name for pack in jurisdictions.load() if pack.slug == slug), slug)


def _described(processing: dict[str, Any], language: str) -> Described:
    """Return the purpose in the reader's language, in the words of its time; the file keeps the register's own."""
    said = json.loads(processing["register"]["content"])
    own = said["purpose"]
    text = next((text for text in said["texts"] if text["locale"] == language), None)
    if text is None:
        return Described(own["name"], own["benefit"], own["kept_for"], "" if language == "en" else "en")
    return Described(text["name"], text["benefit"], text["kept_for"] or own["kept_for"], "")


def _choice(processing: dict[str, Any], event: dict[str, Any], described: Described) -> dict[str, Any]:
    return {
        "purpose": described.name,
        "language": described.locale,
        "part": words.plain_part(processing["purpose"]["part"]),
        "benefit": described.benefit,
        "limit": limit_label(event["record"].get("proof", {})),
        "state": event["record"]["state"],
        "label": _STATES[event["record"]["state"]],
        "when": parse_datetime(event["event_time"]),
        "until": parse_datetime(event["valid_until"]) if event["valid_until"] else None,
        "notice": processing["privacy_notice"],
        "data": [words.plain(kind) for kind in processing["pii_information"]],
        "register_is_proven": processing["register"]["is_proven"],
        "kept": described.kept_for or gettext(content.NO_PERIOD),
        "kept_is_named": bool(described.kept_for),
        "law": _law_name(processing["jurisdiction"].get("law", "")),
        "digest": event["record_sha256"],
    }
