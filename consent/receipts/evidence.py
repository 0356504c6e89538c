"""Evidence file: the whole proof about one person, signed: records, notices, receipts, places in the audit trail.

A zip of JSON files under a signed list of their SHA-256 digests, so that a part cannot be exchanged or left out.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit import signing, trail
from consent.ledger.verification import fields_of
from consent.models import BannerLayout, ConsentRecord, Notice
from consent.receipts import issuing
from consent.receipts.manifest import FORMAT, MANIFEST, README, SINGLE_OFFICER, TYP, digests
from oversight.officers import single


def build(ref: UUID, *, actor: str, groups: Sequence[str] = ()) -> bytes:
    """Return the evidence about one person as a zip; the request is an event of the audit trail itself."""
    trail.record("evidence.exported", str(ref), actor=actor, details={"groups": list(groups)})
    trail.anchor()
    files = _files(ref)
    manifest = {
        "format": FORMAT,
        "subject_ref": str(ref),
        "created_at": timezone.now().isoformat(timespec="seconds"),
        "files": digests(files),
        **single.member(),
    }
    token = signing.sign(json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode(), typ=TYP)
    return _zipped({**files, MANIFEST: token.encode()})


def _files(ref: UUID) -> dict[str, bytes]:
    records = list(
        ConsentRecord.objects.filter(subject_id=ref).select_related("purpose").order_by("subject_revision", "id")
    )
    revisions = sorted({record.subject_revision for record in records})
    files = {
        "README.txt": (README + (SINGLE_OFFICER if single.is_single() else "")).encode(),
        "records.json": _text([{**fields_of(r), "digest": bytes(r.digest).hex()} for r in records]),
        "notices.json": _text(_notices(records)),
        "layouts.json": _text(_layouts(records)),
        "audit.json": _text(trail.prove(ref)),
        "keys.json": _text(signing.published_keys()),
    }
    for revision in revisions:
        files[f"receipts/{revision:06}.json"] = _text(issuing.issue(ref, revision))
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


def _text(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode()


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            # A fixed time: equal content makes an equal file.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
