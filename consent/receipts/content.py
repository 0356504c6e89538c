"""Content of a receipt: one save of a person, with every mandatory field of ISO/IEC TS 27560.

The content is a copy of the record as it stands in the ledger, with the register's words as they stood then:
the same record gives the same content for ever. The text that was served is part of it, and so are the fields under the
record's digest, so that both can be checked offline.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.utils.translation import gettext_noop

from audit.commitments import record_digest
from common.canonical import sha256
from consent.ledger.verification import fields_of
from consent.models import ConsentRecord
from consent.receipts import freezing, terms
from consent.receipts.freezing import Frozen

FORMAT = "assent-receipt/1"
SCHEMA = "ISO/IEC TS 27560:2023"
# What a receipt says where the register names no period; the page of a receipt translates it.
NO_PERIOD = gettext_noop("Until the purpose ends or consent is withdrawn.")
_UNREGISTERED = "controller"
_NAMESPACE = UUID("6f0a8d1e-9d43-5b0c-8f6d-3a5f2b7c9e10")


def describe(records: Sequence[ConsentRecord], *, issued_at: str) -> dict[str, Any]:
    """Return the receipt of the records of one save (same person, same revision), in the order of the ledger."""
    first = records[0]
    frozen = [freezing.frozen(record) for record in records]
    parties = list({party["slug"]: party for found in frozen for party in found.parties}.values())
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
            "processing": [_processing(record, found) for record, found in zip(records, frozen, strict=True)],
            "pii_information": _kinds_of_data(frozen),
            "parties": [
                *map(_party, parties),
                *([] if all(found.controllers for found in frozen) else [_unregistered()]),
            ],
            "events": [_event(record) for record in records],
        },
    }


def recipients_of(processing: Mapping[str, Any], parties: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the recipients by the names their parties had then; what was no party is named by its slug."""
    names = {party["party_id"]: party["party_name"] for party in parties}
    return [names.get(slug, slug.replace("-", " ")) for slug in processing["recipients"]]


def _processing(record: ConsentRecord, frozen: Frozen) -> dict[str, Any]:
    purpose, agreed = frozen.purpose, frozen.agreed
    # A yes covers what the terms of its notice name, whatever the register said more at the time.
    listed = agreed or purpose
    return {
        "purpose": {
            "slug": purpose["slug"],
            "name": purpose["name"],
            "benefit": purpose["benefit"],
            "part": record.scope,
        },
        "purpose_type": terms.purpose(purpose["dpv_purpose"]),
        "lawful_basis": terms.LEGAL_BASES[purpose["legal_basis"]],
        "privacy_notice": frozen.notice,
        "language": frozen.notice["language"],
        "register": {"sha256": frozen.sha256, "is_proven": frozen.is_proven, "content": frozen.content},
        "terms": {"sha256": sha256(frozen.terms.encode()).hex(), "content": frozen.terms} if agreed else None,
        "max_level": record.proof.get("max_level"),
        "pii_information": list(listed["data_categories"]),
        "pii_controllers": frozen.controllers or [_UNREGISTERED],
        "recipients": list(listed["recipients"]),
        "collection_method": record.source,
        "processing_locations": frozen.locations,
        "storage_locations": frozen.locations,
        "retention_period": purpose["kept_for"] or NO_PERIOD,
        "jurisdiction": frozen.jurisdiction,
        "withdrawal_method": f"{settings.PUBLIC_URL}/privacy/",
        "rights": list(terms.RIGHTS),
    }


def _kinds_of_data(frozen: Sequence[Frozen]) -> list[dict[str, Any]]:
    slugs = sorted({category for found in frozen for category in (found.agreed or found.purpose)["data_categories"]})
    named = {slug: term for found in frozen for slug, term in found.data_terms.items()}
    sensitive = frozenset().union(*(found.sensitive for found in frozen))
    return [
        {
            "pii_type": terms.personal_data(named[slug]) if slug in named else terms.kind_of_data(slug),
            "attribute_id": slug,
            "is_sensitive": slug in sensitive,
            "is_special_category": slug in sensitive,
            "is_optional": True,
        }
        for slug in slugs
    ]


def _party(party: Mapping[str, str]) -> dict[str, Any]:
    return {
        "party_id": party["slug"],
        "party_type": terms.ROLES[party["role"]],
        "party_role": party["role"],
        "party_name": party["name"],
        "party_address": {"street": party["address"], "country": party["country"]},
        "party_contact": {name: party[name] for name in ("email", "phone", "url") if party[name]},
        **_transfer(party.get("transfer_basis", "")),
    }


def _transfer(basis: str) -> dict[str, str]:
    """Return what a transfer to the party rests on (GDPR Article 13(1)(f)); nothing where none is registered."""
    return {"transfer_basis": terms.TRANSFERS[basis]} if basis else {}


def _unregistered() -> dict[str, Any]:
    """Return a placeholder: the register does not name the controller, so neither can the receipt."""
    return {
        "party_id": _UNREGISTERED,
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
