"""What register and notice said when a record was made: read from the snapshot and the text the record names.

A record of before snapshots, or of another system, names none. It is shown by the first snapshot of its purpose, which
never changes either, and says that this is not proven.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from consent.models import ConsentRecord, Notice, NoticeTerms, RegisterSnapshot
from consent.receipts.terms import SENSITIVE_BEFORE


@dataclass(frozen=True)
class Frozen:
    """Register and notice behind one record."""

    content: str
    sha256: str
    is_proven: bool
    notice: dict[str, Any]
    locations: list[str]
    jurisdiction: dict[str, Any]
    terms: str = ""  # content of the terms that were agreed to; empty of a no, and where the record names none

    @property
    def agreed(self) -> dict[str, Any] | None:
        """What the yes covers; None of a no, and of a record from before terms were frozen."""
        return json.loads(self.terms) if self.terms else None

    @property
    def purpose(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.content)["purpose"]
        return found

    @property
    def parties(self) -> list[dict[str, str]]:
        """Every party that counts for all purposes, and those the purpose names."""
        found: list[dict[str, str]] = json.loads(self.content)["parties"]
        return found

    @property
    def data_terms(self) -> dict[str, str]:
        """Terms of the DPV by data category, as far as the register named them then."""
        found = json.loads(self.content).get("data", [])
        return {category["slug"]: category["dpv"] for category in found if "dpv" in category}

    @property
    def sensitive(self) -> frozenset[str]:
        """Data categories that were sensitive then, by the register; by a fixed list where the snapshot names none."""
        found = json.loads(self.content).get("sensitive")
        return SENSITIVE_BEFORE if found is None else frozenset(found)

    @property
    def controllers(self) -> list[str]:
        """The purpose's own controller, else the first of the register; and who controls jointly."""
        own = self.purpose["controller"]
        first = [own] if own else self._of_role("controller")[:1]
        return list(dict.fromkeys([*first, *self._of_role("joint_controller")]))

    def _of_role(self, role: str) -> list[str]:
        return [party["slug"] for party in self.parties if party["role"] == role]


def frozen(record: ConsentRecord) -> Frozen:
    """Return what stood when ``record`` was made. A change of the level rests on the consent that it adjusts."""
    record = _consent_behind(record)
    kept = record.proof.get("register", {})
    snapshots = RegisterSnapshot.objects.filter(purpose=record.purpose_id)
    snapshot = snapshots.filter(digest=kept["sha256"]).first() if kept else None
    found = snapshot or snapshots.earliest("id")
    return Frozen(
        content=found.content,
        sha256=found.digest,
        is_proven=snapshot is not None,
        notice=_served_notice(record),
        locations=[kept.get("processing_region", settings.PROCESSING_REGION)],
        jurisdiction=record.proof.get("jurisdiction", {}),
        terms=_agreed_terms(record),
    )


def _agreed_terms(record: ConsentRecord) -> str:
    kept = record.proof.get("terms")
    if not kept or record.state != ConsentRecord.State.GIVEN:
        return ""  # who says no agrees to nothing
    named = NoticeTerms.objects.filter(purpose=record.purpose_id, sha256=kept["sha256"])
    return named.values_list("content", flat=True).first() or ""


def _consent_behind(record: ConsentRecord) -> ConsentRecord:
    while adjusts := record.proof.get("adjusts"):
        record = ConsentRecord.objects.select_related("purpose").get(pk=adjusts, subject_id=record.subject_id)
    return record


def _served_notice(record: ConsentRecord) -> dict[str, Any]:
    """Return the text a person was shown, found by its digest; which one it was is not guessed where none is kept."""
    kept = record.proof.get("notice", {})
    versions = Notice.objects.filter(purpose=record.purpose, version=record.notice_version)
    notice = versions.filter(text_sha256=kept["sha256"]).first() if kept else None
    return {
        "version": record.notice_version,
        "language": kept.get("locale", ""),
        "sha256": kept.get("sha256", ""),
        "text": notice.text if notice else "",
        "is_proven": bool(kept),
    }
