"""Choices of earlier days, put into the ledger's tables as they would stand there."""

import uuid
from datetime import datetime, timedelta

from django.utils import timezone

from common.identifiers import uuid7_floor
from consent.models import ConsentRecord, DataSubject


class Past:
    """People who chose; every call is one person's next choice."""

    def __init__(self) -> None:
        self.revisions: dict[uuid.UUID, int] = {}
        self.last: dict[tuple[uuid.UUID, str], ConsentRecord] = {}

    def choose(
        self,
        person: str,
        state: str,
        *,
        purpose: str = "recommendations",
        days_ago: float = 5,
        region: str = "DE",
        notice: int = 1,
    ) -> ConsentRecord:
        ref = uuid.uuid5(uuid.NAMESPACE_OID, person)
        moment = timezone.now() - timedelta(days=days_ago)
        DataSubject.objects.get_or_create(ref=ref, defaults={"region": region})
        revision = self.revisions[ref] = self.revisions.get(ref, 0) + 1
        record = ConsentRecord.objects.create(
            id=_identifier(moment),
            subject_id=ref,
            subject_revision=revision,
            purpose_id=purpose,
            state=state,
            notice_version=notice,
            source="api",
            actor="service:shop",
            recorded_at=moment,
            supersedes=self.last.get((ref, purpose)),
            digest=bytes(32),
        )
        self.last[ref, purpose] = record
        return record

    def crowd(self, name: str, *, given: int = 0, refused: int = 0, withdrawn: int = 0, **more) -> None:
        """So many people, each with one purpose, standing so."""
        for number in range(given):
            self.choose(f"{name}-given-{number}", "given", **more)
        for number in range(refused):
            self.choose(f"{name}-refused-{number}", "refused", **more)
        for number in range(withdrawn):
            days = more.get("days_ago", 5)
            self.choose(f"{name}-withdrawn-{number}", "given", **{**more, "days_ago": days + 2})
            self.choose(f"{name}-withdrawn-{number}", "withdrawn", **more)


def _identifier(moment: datetime) -> uuid.UUID:
    return uuid.UUID(int=uuid7_floor(moment).int | 7 << 76 | 2 << 62 | (uuid.uuid4().int & ((1 << 62) - 1)))
