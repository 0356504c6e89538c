"""Receipt formats: DPV as JSON-LD (W3C guide to ISO/IEC TS 27560), and the Kantara receipt 1.1."""

from datetime import datetime
from typing import Any

from consent.receipts.terms import DPV, GDPR, PD

_CONTEXT = {
    "dpv": DPV,
    "pd": PD,
    "eu-gdpr": GDPR,
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def as_json_ld(receipt: dict[str, Any]) -> dict[str, Any]:
    """Return the receipt as a DPV graph."""
    record = receipt["consent_record"]
    return {
        "@context": _CONTEXT,
        "@id": f"urn:uuid:{receipt['receipt_id']}",
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": receipt["schema_version"],
        "dct:issued": {"@value": receipt["issued_at"], "@type": "xsd:dateTime"},
        "dpv:hasRecord": {
            "@id": f"urn:uuid:{record['record_id']}",
            "@type": "dpv:ConsentRecord",
            "dpv:hasDataSubject": {"@id": f"urn:uuid:{record['pii_principal_id']}"},
            "dpv:hasProcess": [
                _process(processing, event)
                for processing, event in zip(record["processing"], record["events"], strict=True)
            ],
            "dpv:hasEntity": [_entity(party) for party in record["parties"]],
        },
    }


def _process(processing: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    notice = processing["privacy_notice"]
    return {
        "@type": "dpv:Process",
        "dct:title": processing["purpose"]["name"],
        "dpv:hasPurpose": {"@id": processing["purpose_type"]},
        "dpv:hasLegalBasis": {"@id": processing["lawful_basis"]},
        "dpv:hasPersonalData": list(processing["pii_information"]),
        "dpv:hasNotice": {
            "@type": "dpv:ConsentNotice",
            "dct:hasVersion": str(notice["version"]),
            "dct:language": notice["language"],
            "dct:identifier": f"sha256:{notice['sha256']}",
        },
        "dpv:hasConsentStatus": {
            "@id": event["event_state"],
            "dct:date": {"@value": event["event_time"], "@type": "xsd:dateTime"},
        },
        "dpv:isIndicatedAtTime": event["event_time"],
        "dpv:hasDataController": list(processing["pii_controllers"]),
        "dpv:hasRecipient": list(processing["recipients"]),
        "dpv:hasStorageCondition": {
            "dpv:hasLocation": list(processing["storage_locations"]),
            "dpv:hasDuration": processing["retention_period"],
        },
        "dpv:hasRight": [{"@id": right} for right in processing["rights"]],
        "dpv:isExercisedAt": processing["withdrawal_method"],
    }


def _entity(party: dict[str, Any]) -> dict[str, Any]:
    return {
        "@id": f"urn:assent:party:{party['party_id']}",
        "@type": party["party_type"],
        "dpv:hasName": party["party_name"],
        "dpv:hasAddress": ", ".join(part for part in party["party_address"].values() if part),
        "dpv:hasContact": list(party["party_contact"].values()),
    }


def as_kantara(receipt: dict[str, Any], *, public_key: str) -> dict[str, Any]:
    """Return the receipt in the fields of Kantara's Consent Receipt 1.1."""
    record = receipt["consent_record"]
    first = record["events"][0]
    controllers = [party for party in record["parties"] if party["party_role"] == "controller"]
    sensitive = sorted(kind["attribute_id"] for kind in record["pii_information"] if kind["is_special_category"])
    return {
        "version": "KI-CR-v1.1.0",
        "jurisdiction": record["processing"][0]["jurisdiction"].get("law", ""),
        "consentTimestamp": int(datetime.fromisoformat(first["event_time"]).timestamp()),
        "collectionMethod": record["processing"][0]["collection_method"],
        "consentReceiptID": receipt["receipt_id"],
        "publicKey": public_key,
        "language": record["processing"][0]["language"],
        "piiPrincipalId": record["pii_principal_id"],
        "piiControllers": [_kantara_controller(party) for party in controllers],
        "policyUrl": record["processing"][0]["withdrawal_method"],
        "services": [
            {
                "service": controllers[0]["party_name"] if controllers else "",
                "purposes": [
                    _kantara_purpose(processing, event)
                    for processing, event in zip(record["processing"], record["events"], strict=True)
                ],
            }
        ],
        "sensitive": bool(sensitive),
        "spiCat": sensitive,
    }


def _kantara_controller(party: dict[str, Any]) -> dict[str, Any]:
    address = {"streetAddress": party["party_address"]["street"], "addressCountry": party["party_address"]["country"]}
    return {
        "piiController": party["party_name"],
        "onBehalf": False,
        "contact": party["party_name"],
        "address": address,
        "email": party["party_contact"].get("email", ""),
        "phone": party["party_contact"].get("phone", ""),
    }


def _kantara_purpose(processing: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    return {
        "purpose": processing["purpose"]["name"],
        "purposeCategory": [processing["purpose_type"]],
        "consentType": "EXPLICIT" if event["record"]["explicit"] else "EXPRESSED",
        "piiCategory": list(processing["pii_information"]),
        "primaryPurpose": False,
        "termination": processing["retention_period"],
        "thirdPartyDisclosure": bool(processing["recipients"]),
        "thirdPartyName": ", ".join(processing["recipients"]),
    }
