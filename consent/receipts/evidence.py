"""Evidence file: the whole proof about one person, signed: records, notices, receipts, places in the audit trail.

A zip of JSON files under a signed list of their SHA-256 digests, so that a part cannot be exchanged or left out.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit import signed_zip, signing, trail
from audit.signed_zip import text
from consent.ledger.verification import fields_of
from consent.models import BannerLayout, ConsentRecord, Notice
from consent.receipts import issuing
from consent.receipts.manifest import FORMAT, README, SINGLE_OFFICER, TYP
from oversight.officers import single


def build(ref: UUID, *, actor: str, groups: Sequence[str] = ()) -> bytes:
    """Return the evidence about one person as a zip; the request is an event of the audit trail itself."""
    trail.record("evidence.exported", str(ref), actor=actor, details={"groups": list(groups)})
    trail.anchor()
    manifest = {
        "format": FORMAT,
        "subject_ref": str(ref),
        "created_at": timezone.now().isoformat(timespec="seconds"),
        **single.member(),
    }
    return signed_zip.build(_files(ref), manifest, typ=TYP)


def _files(ref: UUID) -> dict[str, bytes]:
    records = list(
        ConsentRecord.objects.filter(subject_id=ref).select_related("purpose").order_by("subject_revision", "id")
    )
    revisions = sorted({record.subject_revision for record in records})
    files = {
        "README.txt": (README + (SINGLE_OFFICER if single.is_single() else "")).encode(),
        "records.json": text([{**fields_of(r), "digest": bytes(r.digest).hex()} for r in records]),
        "notices.json": text(_notices(records)),
        "layouts.json": text(_layouts(records)),
        "audit.json": text(trail.prove(ref)),
        "keys.json": text(signing.published_keys()),
    }
    for revision in revisions:
        files[f"receipts/{revision:06}.json"] = text(issuing.issue(ref, revision))
    return files


def _notices(records: list[ConsentRecord]) -> list[dict[str, Any]]:
    """Return every version, in every language, of the notices behind these records."""
    purposes = {record.purpose.pk for record in records}
    return [
        {
            "purpose": notice.purpose.slug,
            "version": notice.version,
            "locale": notice.locale,
            "is_material": notice.is_material,
            "published_at": notice.published_at.isoformat(timespec="seconds"),
            "text": notice.text,
            "sha256": notice.text_sha256,
        }
        for notice in Notice.objects.filter(purpose__in=purposes).select_related("purpose")
    ]


def _layouts(records: list[ConsentRecord]) -> list[dict[str, str]]:
    """Return the banners these records were made in, as they were served."""
    named = {record.proof.get("asked", {}).get("layout_sha256", "") for record in records}
    found = BannerLayout.objects.filter(pk__in=named).order_by("pk")
    return [{"sha256": layout.sha256, "content": layout.content} for layout in found]
