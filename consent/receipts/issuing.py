"""Issue receipts: find the records of a save, describe them, sign what was described."""

import json
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit import signing
from common.http.problems import NotFound
from consent.models import ConsentRecord
from consent.receipts import content

TYP = "assent-receipt+jws"


class ReceiptUnknown(NotFound):
    code = "receipt_unknown"
    title = "There is no such receipt"


def records_of(ref: UUID, revision: int) -> list[ConsentRecord]:
    """Return the records of one save, in the order of their chain. Raises ReceiptUnknown."""
    found = ConsentRecord.objects.filter(subject_id=ref, subject_revision=revision).select_related("purpose")
    records = list(found.order_by("id"))
    if not records:
        raise ReceiptUnknown("This person has no saved choice under this number.")
    return records


def issue(ref: UUID, revision: int) -> dict[str, Any]:
    """Return the receipt file of one save: the content to read, and the same content signed. Raises ReceiptUnknown."""
    issued_at = timezone.now().isoformat(timespec="seconds")
    receipt = content.describe(records_of(ref, revision), issued_at=issued_at)
    return {"receipt": receipt, "jws": signing.sign(as_text(receipt), typ=TYP)}


def as_text(receipt: dict[str, Any]) -> bytes:
    return json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
