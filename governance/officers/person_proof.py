"""Content of the consent proof's page about one person."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Max
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from audit import trail
from audit.models import AuditAnchor, AuditEvent
from common.admin_pages.display import document as in_words
from common.admin_pages.display import sentence, table, who, words
from consent.admin.ledger import STATE_TONES
from consent.ledger import selectors, verification
from consent.ledger.projection import ConsentEntry
from consent.models import ConsentRecord, DataSubject, Level, Notice, Purpose, current_notice_versions
from consent.register import words as consent_words
from governance.officers import person_storage
from privacy.models import Disposal

_SHOWN = 200
_EVENTS = 200
_TONES = {**STATE_TONES, "expired": "caution", "renewal_required": "caution"}
_DISPOSAL_TONES = {"queued": "info", "running": "caution", "paused": "info", "stopped": "alarm", "done": "good"}
_SIGNALS = {"gpc": "Global Privacy Control", "gpp": "GPP string", "tcf": "TCF string"}


def context(person: DataSubject) -> dict[str, Any]:
    """Return the page's context, in a fixed number of statements. Recomputes the person's whole chain."""
    records = list(
        ConsentRecord.objects.filter(subject=person).select_related("purpose").order_by("subject_revision", "id")
    )
    verdict = verification.verify_person(person, records)
    notices = list(Notice.objects.filter(purpose__in={record.purpose.pk for record in records}))
    known = {str(record.pk): record for record in records}
    shown = [_record(record, known, notices, verdict) for record in reversed(records[-_SHOWN:])]
    return {
        "person": person,
        "holds": person_storage.holds(person),
        "stored": person_storage.stored(person),
        "chain": {"ok": verdict.ok, "broken": next(iter(verdict.broken.values()), verdict.projection)},
        "in_force": _in_force(person, known),
        "records": shown,
        "hidden_records": len(records) - len(shown),
        "events": _events(person),
        "disposals": _disposals(person),
        "decisions_url": f"{reverse('admin:policies_decision_changelist')}?q={person.ref}",
    }


def _in_force(person: DataSubject, records: Mapping[str, ConsentRecord]) -> list[dict[str, Any]]:
    versions, now = current_notice_versions(), timezone.now().timestamp()
    rows = []
    for purpose in Purpose.objects.all():
        places = [place for place in person.consents if place.partition("?")[0] == purpose.slug]
        if purpose.is_active and purpose.slug not in places:
            places.append(purpose.slug)
        required = versions.get(purpose.slug, {"required": 0})["required"]
        for place in sorted(places):
            entry = person.consents.get(place)
            state = selectors.state_now(entry, legal_basis=purpose.legal_basis, required_notice=required, now_epoch=now)
            rows.append(_standing(purpose, place, state, entry, records))
    return rows


def _standing(
    purpose: Purpose, place: str, state: str, entry: ConsentEntry | None, records: Mapping[str, ConsentRecord]
) -> dict[str, Any]:
    found = {
        "purpose": purpose.name,
        "part": consent_words.part(place.partition("?")[2]),
        "state": consent_words.STATES[state],
        "tone": _TONES.get(state, "plain"),
        "basis": purpose.get_legal_basis_display(),
    }
    if entry is None:
        return found
    record = records.get(entry["r"])
    language = _consent_behind(record, records).proof.get("notice", {}).get("locale", "") if record else ""
    return {
        **found,
        "since": _moment(entry["t"]),
        "until": _moment(entry["x"]),
        "notice": f"Version {entry['n']}{f', {language}' if language else ''}" if entry["n"] else "",
        "source": consent_words.source(entry.get("src", "")),
        "explicit": entry["e"],
        "told": entry.get("told", False),
    }


def _moment(epoch: int | None) -> datetime | None:
    return datetime.fromtimestamp(epoch, tz=UTC) if epoch else None


def _record(
    record: ConsentRecord,
    known: Mapping[str, ConsentRecord],
    notices: Iterable[Notice],
    verdict: verification.PersonVerdict,
) -> dict[str, Any]:
    proof, behind = record.proof, _consent_behind(record, known)
    return {
        "id": str(record.pk),
        "state": record.get_state_display(),
        "tone": STATE_TONES[record.state],
        "purpose": record.purpose.name,
        "part": consent_words.part(record.scope),
        "when": record.recorded_at,
        "until": record.expires_at,
        "source": consent_words.source(record.source),
        "by": who(record.actor),
        "explicit": record.explicit,
        "told": proof.get("told_of_signal_conflict", False),
        "notice": _shown_notice(behind, notices),
        "marks": list(_marks(behind)),
        "limit": _limit(proof),
        "asked": table(_asked(proof["asked"])) if proof.get("asked") else "",
        "rule": in_words(behind.proof["jurisdiction"]) if behind.proof.get("jurisdiction") else "",
        "guardian": table(_guardian(proof["guardian"])) if proof.get("guardian") else "",
        "imported": in_words(proof["imported"]) if proof.get("imported") else "",
        "digest": bytes(record.digest).hex(),
        "broken": verdict.broken.get(record.pk),
        "revision": record.subject_revision,
        "url": reverse("admin:consent_consentrecord_change", args=[record.pk]),
    }


def _consent_behind(record: ConsentRecord, known: Mapping[str, ConsentRecord]) -> ConsentRecord:
    """Return the consent whose level a record changes: the text that was shown is that one's."""
    while adjusted := known.get(record.proof.get("adjusts", "")):
        record = adjusted
    return record


def _limit(proof: Mapping[str, Any]) -> str:
    limit = Level(proof["max_level"]).label if proof.get("max_level") else "None" if "adjusts" in proof else ""
    return (
        f"{limit}; what version {proof['declined_version']} adds is declined" if "declined_version" in proof else limit
    )


def _shown_notice(record: ConsentRecord, notices: Iterable[Notice]) -> dict[str, Any]:
    """Return the text by its digest; for a record without one, the version it names, marked as unproven."""
    kept = record.proof.get("notice", {})
    versions = [n for n in notices if n.purpose_id == record.purpose.pk and n.version == record.notice_version]
    fitting = [n for n in versions if (n.text_sha256 == kept["sha256"] if kept else True)]
    # Two languages may share a text; without a digest the register's own language is the likeliest.
    fitting.sort(key=lambda n: (n.locale != kept.get("locale", "en"), n.locale))
    text = fitting[0] if fitting else None
    return {
        "version": record.notice_version,
        "locale": kept.get("locale") or (text.locale if text else ""),
        "sha256": kept.get("sha256") or (text.text_sha256 if text else ""),
        "text": text.text if text else "",
        "proven": bool(kept),
    }


def _marks(record: ConsentRecord) -> Iterable[dict[str, str]]:
    if record.proof.get("imported"):
        yield {"label": "Imported", "meaning": "Taken over from another system; nobody here saw the question."}
    if not record.notice_version:
        yield {"label": "No notice", "meaning": "The purpose had no text when this was chosen."}
    elif not record.proof.get("notice"):
        yield {"label": "Text not proven", "meaning": "The record names a version, but kept no digest of the text."}


def _asked(asked: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    if asked.get("interface"):
        yield "Interface", asked["interface"]
    if asked.get("order"):
        yield "Buttons, first to last", ", ".join(words(name) for name in asked["order"])
    if asked.get("layout_sha256"):
        yield "SHA-256 of its layout", _to_copy(asked["layout_sha256"])
    if asked.get("layout_unknown"):
        yield "That layout", "Known by the word of the caller alone"
    for name, value in asked.get("signals", {}).items():
        label = _SIGNALS.get(name, words(name).capitalize())
        yield label, _to_copy(value) if isinstance(value, str) else ("On" if value else "Off")


def _to_copy(text: str) -> str:
    """Format an identifier: shortened, and whole when copied."""
    return render_to_string("partials/short_id.html", {"id": text})


def _guardian(guardian: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    yield "Pseudonym of the guardian", _to_copy(str(guardian["ref"]))
    yield "Verified by", words(str(guardian["method"]))
    yield "The child is of age on", guardian["adult_on"]


def _events(person: DataSubject) -> list[dict[str, Any]]:
    sealed_upto = AuditAnchor.objects.aggregate(last=Max("last_position"))["last"] or 0
    return [_event(event, sealed_upto) for event in trail.events_about(person.ref, limit=_EVENTS)]


def _event(event: AuditEvent, sealed_upto: int) -> dict[str, Any]:
    return {
        "when": event.occurred_at,
        "what": sentence(event.action),
        "by": who(event.actor),
        "sealed": event.position <= sealed_upto,
        "changed": trail.event_digest(event) != bytes(event.digest),
        "url": reverse("admin:audit_auditevent_change", args=[event.pk]),
    }


def _disposals(person: DataSubject) -> list[dict[str, Any]]:
    found = Disposal.objects.filter(subject_ref=person.ref).select_related("purpose")[:20]
    return [
        {
            "purpose": str(disposal.purpose),
            "reason": disposal.get_reason_display(),
            "status": disposal.get_status_display(),
            "tone": _DISPOSAL_TONES[disposal.status],
            "when": disposal.finished_at or disposal.queued_at,
            "removed": disposal.total_removed,
            "manifest": disposal.manifest_sha256,
            "url": reverse("admin:privacy_disposal_change", args=[disposal.pk]),
        }
        for disposal in found
    ]
