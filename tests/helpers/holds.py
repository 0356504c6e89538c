"""Legal holds and restrictions in tests: documents of their registers, and bringing them into force."""

from datetime import UTC, datetime
from typing import Any

from consent.pseudonyms import subject_ref
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet
from privacy.models import Hold, Restriction
from tests.helpers.registers import in_force, make_officer

_SINCE = datetime(2026, 1, 1, tzinfo=UTC).isoformat()


def refs(*people: str) -> list[str]:
    return sorted(str(subject_ref(person)) for person in people)


def hold(slug: str = "claim-17", **members: Any) -> Proposed:
    """A hold as a change set writes it: of customer-1, for every purpose, unless said otherwise."""
    document = {
        "slug": slug, "matter": "A claim", "reason": "Counsel asked for it", "people": refs("customer-1"),
        "purposes": [], "regions": [], "age_bands": [], "chose_about": [], "data_sets": [], "starts_at": _SINCE,
        "ends_at": None, "is_released": False,
    }  # fmt: skip
    return Proposed("hold", slug, {**document, **members})


def restriction(slug: str = "art18-1", **members: Any) -> Proposed:
    document = {
        "slug": slug, "ground": "accuracy", "reason": "The address is wrong", "people": refs("customer-1"),
        "purposes": [], "starts_at": _SINCE, "ends_at": None, "is_released": False, "informed_on": None,
    }  # fmt: skip
    return Proposed("restriction", slug, {**document, **members})


class Register:
    """Two independent officers who bring holds into force."""

    def __init__(self) -> None:
        self.author, self.approver = make_officer("hanna"), make_officer("holger")

    def place(self, *proposed: Proposed) -> ChangeSet:
        return in_force(self.author, self.approver, *proposed)

    def release(self, placed: Proposed, **members: Any) -> ChangeSet:
        return self.place(
            Proposed(placed.register, placed.key, {**(placed.after or {}), "is_released": True, **members})
        )


def get(placed: Proposed) -> Hold | Restriction:
    model = Hold if placed.register == "hold" else Restriction
    return model.objects.get(slug=placed.key)
