"""Pages of one person: every look is recorded (``audit.looks``)."""

from uuid import UUID

from audit.looks import LooksRecorded
from consent.models import DataSubject


class PersonLooksRecorded(LooksRecorded):
    """``LooksRecorded``, which knows people by the register."""

    def is_person(self, number: UUID) -> bool:
        return DataSubject.objects.filter(ref=number).exists()
