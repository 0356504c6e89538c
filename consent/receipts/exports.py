"""Receipt formats: DPV as JSON-LD (W3C guide to ISO/IEC TS 27560), and the Kantara receipt 1.1."""

from datetime import datetime
from typing import Any

from consent.receipts.content import recipients_of
from consent.receipts.terms import CONSENT, DPV, GDPR, PD, PERSONAL_DATA, STATES, WITHDRAW, kind_of_data

_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560"
_CONTEXT = {
    "dpv": DPV,
    "pd": PD,
    "eu-gdpr": GDPR,
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def as_json_ld(receipt: dict[str, Any]) -> dict[str, Any]:
    """Return the receipt as a DPV graph. What it says is said of nodes of its own, never of the vocabulary's terms."""
    record = receipt["consent_record"]
    return {
        "@context": _CONTEXT,
        "@id": f"urn:uuid:{receipt['receipt_id']}",
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": _profile("receipt-record"),
        "dpv:hasIdentifier": receipt["receipt_id"],
        "dct:created": _moment(receipt["issued_at"]),
        "dct:issued": _moment(receipt["issued_at"]),
        "dpv:hasRecordOfActivity": {
            "@id": f"urn:uuid:{record['record_id']}",
            "@type": "dpv:ConsentRecord",
            "dct:conformsTo": _profile("record"),
            "dpv:hasIdentifier": record["record_id"],
            "dct:created": _moment(record["events"][0]["event_time"]),
            "dpv:hasDataSubject": {
                "@id": f"urn:uuid:{record['pii_principal_id']}",
                "@type": "dpv:DataSubject",
                "dpv:hasIdentifier": record["pii_principal_id"],
            },
            "dpv:hasProcess": [
                _process(processing, event, record["parties"])
                for processing, event in zip(record["processing"], record["events"], strict=True)
            ],
            "dpv:hasEntity": [_entity(party) for party in record["parties"]],
        },
    }


def _profile(name: str) -> list[dict[str, str]]:
    """Return the schema and its profile (guide to ISO/IEC TS 27560, section 3)."""
    return [{"@id": _SCHEMA}, {"@id": f"{_SCHEMA}#{name}"}]


def _moment(value: str) -> dict[str, str]:
    return {"@value": value, "@type": "xsd:dateTime"}


def _process(processing: dict[str, Any], event: dict[str, Any], parties: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@id": f"urn:uuid:{event['record']['id']}#process",
        "@type": "dpv:Process",
        "dct:title": processing["purpose"]["name"],
        "dpv:hasPurpose": {"@id": processing["purpose_type"]},
        "dpv:hasLegalBasis": {"@id": processing["lawful_basis"]},
        "dpv:hasPersonalData": [_kind_of_data(slug) for slug in processing["pii_information"]],
        "dpv:hasNotice": _notice(processing["privacy_notice"]),
        **_status(processing, event),
        "dpv:isIndicatedAtTime": _moment(event["event_time"]),
        "dpv:hasDataController": [_named(slug, "dpv:DataController") for slug in processing["pii_controllers"]],
        "dpv:hasRecipient": [
            {**_named(slug, "dpv:Recipient"), "dpv:hasName": name}
            for slug, name in zip(processing["recipients"], recipients_of(processing, parties), strict=True)
        ],
        "dpv:hasJurisdiction": {
            "@type": "dpv:Location",
            "dct:title": processing["jurisdiction"].get("region") or processing["jurisdiction"].get("law", ""),
        },
        "dpv:hasStorageCondition": {
            "@type": "dpv:StorageCondition",
            "dpv:hasLocation": [
                {"@type": "dpv:Location", "dct:title": location} for location in processing["storage_locations"]
            ],
            "dpv:hasDuration": {"@type": "dpv:StorageDuration", "dct:description": processing["retention_period"]},
        },
        "dpv:hasRight": [_right(right, processing, event) for right in processing["rights"]],
    }


def _kind_of_data(slug: str) -> dict[str, str]:
    """Return the vocabulary's term, or a node of our own where it has only the general one."""
    term = kind_of_data(slug)
    return {"@id": term} if term != PERSONAL_DATA else {"@id": f"urn:assent:data:{slug}", "@type": "dpv:PersonalData"}


def _named(slug: str, role: str) -> dict[str, str]:
    return {"@id": f"urn:assent:party:{slug}", "@type": role}


def _notice(notice: dict[str, Any]) -> dict[str, Any]:
    shown = {"dct:language": notice["language"], "dct:identifier": notice["sha256"] and f"sha256:{notice['sha256']}"}
    return {
        "@type": "dpv:ConsentNotice",
        "dct:hasVersion": str(notice["version"]),
        **{name: value for name, value in shown.items() if value},
    }


def _status(processing: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """Return the state of consent, with its date, where the processing rests on consent at all."""
    if processing["lawful_basis"] != CONSENT:
        return {}
    dated = {"@type": event["event_state"], "dct:date": _moment(event["event_time"])}
    return {"dpv:hasConsentStatus": {"@id": f"urn:uuid:{event['record']['id']}#status", **dated}}


def _right(right: str, processing: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """Return a right; where it is exercised stands with the one to withdraw, when it was with the one to object."""
    active = {"@type": ["dpv:ActiveRight", right]}
    if right == WITHDRAW:
        where = {"@id": processing["withdrawal_method"], "@type": "dpv:RightExerciseNotice"}
        return {**active, "dpv:isExercisedAt": where}
    if right == event["event_state"]:
        return {**active, "dct:date": _moment(event["event_time"])}
    return {"@id": right}


def _entity(party: dict[str, Any]) -> dict[str, Any]:
    return {
        "@id": f"urn:assent:party:{party['party_id']}",
        "@type": party["party_type"],
        "dpv:hasIdentifier": party["party_id"],
        "dpv:hasName": party["party_name"],
        "dpv:hasAddress": ", ".join(part for part in party["party_address"].values() if part),
        "dpv:hasContact": list(party["party_contact"].values()),
    }


def gives_consent(receipt: dict[str, Any]) -> bool:
    """Return whether the save gave any consent: only that has a Kantara receipt."""
    return bool(_given(receipt["consent_record"]))


def _given(record: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return what was consented to: neither a no, nor the end of an objection to what needs no consent."""
    pairs = zip(record["processing"], record["events"], strict=True)
    return [
        (processing, event)
        for processing, event in pairs
        if event["event_state"] == STATES["given"] and processing["lawful_basis"] == CONSENT
    ]


def as_kantara(receipt: dict[str, Any], *, public_key: str) -> dict[str, Any] | None:
    """Return the receipt in the fields of Kantara's Consent Receipt 1.1, None where nothing was agreed to.

    A receipt of version 1.1 is the record of an authority granted and has no field for a no.
    """
    record = receipt["consent_record"]
    given = _given(record)
    if not given:
        return None
    processing, first = given[0]
    controllers = [party for party in record["parties"] if party["party_role"] == "controller"]
    named = {kind["attribute_id"] for kind in record["pii_information"] if kind["is_sensitive"]}
    sensitive = sorted({slug for used, _ in given for slug in used["pii_information"] if slug in named})
    return {
        "version": "KI-CR-v1.1.0",
        "jurisdiction": processing["jurisdiction"].get("law", ""),
        "consentTimestamp": int(datetime.fromisoformat(first["event_time"]).timestamp()),
        "collectionMethod": processing["collection_method"],
        "consentReceiptID": receipt["receipt_id"],
        "publicKey": public_key,
        "language": processing["language"],
        "piiPrincipalId": record["pii_principal_id"],
        "piiControllers": [_kantara_controller(party) for party in controllers],
        "policyUrl": processing["withdrawal_method"],
        "services": [
            {
                "service": controllers[0]["party_name"] if controllers else "",
                "purposes": [_kantara_purpose(used, event, record["parties"]) for used, event in given],
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


def _kantara_purpose(
    processing: dict[str, Any], event: dict[str, Any], parties: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "purpose": processing["purpose"]["name"],
        "purposeCategory": [processing["purpose_type"]],
        "consentType": "EXPLICIT" if event["record"]["explicit"] else "EXPRESSED",
        "piiCategory": list(processing["pii_information"]),
        "primaryPurpose": False,
        "termination": processing["retention_period"],
        "thirdPartyDisclosure": bool(processing["recipients"]),
        "thirdPartyName": ", ".join(recipients_of(processing, parties)),
    }
