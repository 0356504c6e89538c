"""Content of a receipt: one save of a person, with every mandatory field of ISO/IEC TS 27560.

The content is a copy of the record as it stands in the ledger, with the register's words as they stand now. The text
that was served is part of it, and so are the fields under the record's digest, so that both can be checked offline.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.utils.translation import gettext_noop

from consent.ledger.records import record_digest
from consent.ledger.verification import fields_of
from consent.models import ConsentRecord, Notice, Party, Purpose
from consent.receipts import terms

FORMAT = "assent-receipt/1"
SCHEMA = "ISO/IEC TS 27560:2023"
# What a receipt says where the register names no period; the page of a receipt translates it.
NO_PERIOD = gettext_noop("Until the purpose ends or consent is withdrawn.")
_NAMESPACE = UUID("6f0a8d1e-9d43-5b0c-8f6d-3a5f2b7c9e10")


def describe(records: Sequence[ConsentRecord], *, issued_at: str) -> dict[str, Any]:
    """Return the receipt of the records of one save (same person, same revision), in the order of the ledger."""
    first = records[0]
    purposes = [record.purpose for record in records]
    parties = _parties(purposes)
    return {
        "format": FORMAT,
        "schema_version": SCHEMA,
        "receipt_id": str(uuid5(_NAMESPACE, f"{first.subject_id}:{first.subject_revision}")),
        "issued_at": issued_at,
        "issuer": settings.PUBLIC_URL,
        "consent_record": {
            "schema_version": SCHEMA,
            "record_id": str(first.id),
            "pii_principal_id": str(first.subject_id),
            "subject_revision": first.subject_revision,
            "processing": [_processing(record, parties) for record in records],
            "pii_information": _kinds_of_data(purposes),
            "parties": [_party(party) for party in parties] or [_unregistered()],
            "events": [_event(record) for record in records],
        },
    }


def _processing(record: ConsentRecord, parties: Sequence[Party]) -> dict[str, Any]:
    purpose = record.purpose
    notice = _served_notice(record)
    controllers = [p.slug for p in parties if p.pk == purpose.controller_id] or [
        p.slug for p in parties if p.role == Party.Role.CONTROLLER
    ][:1]
    return {
        "purpose": {"slug": purpose.slug, "name": purpose.name, "benefit": purpose.benefit, "part": record.scope},
        "purpose_type": terms.purpose(purpose.dpv_purpose),
        "lawful_basis": terms.LEGAL_BASES[purpose.legal_basis],
        "privacy_notice": notice,
        "language": notice["language"],
        "pii_information": list(purpose.data_categories),
        "pii_controllers": controllers or ["controller"],
        "recipients": list(purpose.recipients),
        "collection_method": record.source,
        "processing_locations": [settings.PROCESSING_REGION],
        "storage_locations": [settings.PROCESSING_REGION],
        "retention_period": purpose.kept_for or NO_PERIOD,
        "jurisdiction": record.proof.get("jurisdiction", {}),
        "withdrawal_method": f"{settings.PUBLIC_URL}/privacy/",
        "rights": list(terms.RIGHTS),
    }


def _served_notice(record: ConsentRecord) -> dict[str, Any]:
    """Return the text a person was shown, found by its digest; a record of before digests were kept names a version."""
    kept = record.proof.get("notice", {})
    versions = Notice.objects.filter(purpose=record.purpose, version=record.notice_version)
    notice = versions.filter(text_sha256=kept["sha256"]).first() if kept else versions.filter(locale="en").first()
    return {
        "version": record.notice_version,
        "language": kept.get("locale", notice.locale if notice else ""),
        "sha256": kept.get("sha256", notice.text_sha256 if notice else ""),
        "text": notice.text if notice else "",
        "is_proven": bool(kept),
    }


def _kinds_of_data(purposes: Sequence[Purpose]) -> list[dict[str, Any]]:
    slugs = sorted({category for purpose in purposes for category in purpose.data_categories})
    return [
        {
            "pii_type": terms.kind_of_data(slug),
            "attribute_id": slug,
            "is_sensitive": slug in terms.SPECIAL,
            "is_special_category": slug in terms.SPECIAL,
            "is_optional": True,
        }
        for slug in slugs
    ]


def _parties(purposes: Sequence[Purpose]) -> list[Party]:
    """Return every party that counts for all purposes, and those the purposes name."""
    named = {recipient for purpose in purposes for recipient in purpose.recipients}
    own = {purpose.controller_id for purpose in purposes}
    everywhere = {Party.Role.CONTROLLER, Party.Role.OFFICER, Party.Role.AUTHORITY}
    return [p for p in Party.objects.all() if p.role in everywhere or p.slug in named or p.pk in own]


def _party(party: Party) -> dict[str, Any]:
    return {
        "party_id": party.slug,
        "party_type": terms.ROLES[party.role],
        "party_role": party.role,
        "party_name": party.name,
        "party_address": {"street": party.address, "country": party.country},
        "party_contact": {
            name: value for name, value in (("email", party.email), ("phone", party.phone), ("url", party.url)) if value
        },
    }


def _unregistered() -> dict[str, Any]:
    """Return a placeholder: the register does not name the controller, so neither can the receipt."""
    return {
        "party_id": "controller",
        "party_type": terms.ROLES["controller"],
        "party_role": "controller",
        "party_name": settings.BUSINESS_NAME,
        "party_address": {"street": "", "country": ""},
        "party_contact": {"url": settings.PUBLIC_URL},
    }


def _event(record: ConsentRecord) -> dict[str, Any]:
    fields = fields_of(record)
    return {
        "event_time": fields["recorded_at"],
        "valid_until": fields["expires_at"],
        "entity_id": record.actor,
        "event_type": terms.EXPLICIT if record.explicit else terms.EXPRESSED,
        "event_state": terms.STATES[record.state],
        "record": fields,
        "record_sha256": record_digest(fields).hex(),
    }
