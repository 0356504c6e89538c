"""Holds and restrictions of an installation older than their register: set by SQL, in people's rows alone."""

from audit.models import AuditEvent
from audit.sealed_rows import BASELINE
from consent.models import DataSubject
from oversight.changes.applying import apply_shipped
from privacy.holds import members
from privacy.holds.descriptors import HOLDS
from privacy.models import Hold, Restriction

_SLUG = "before-the-register"
_REASON = "Set in the database before holds and restrictions had a register. Review and release."


def carry_over(*, actor: str) -> None:
    """Place them as one hold and one restriction, once. Call it in a transaction, before the baseline of holds."""
    if AuditEvent.objects.filter(action=BASELINE, object=HOLDS.kind).exists():
        return
    held, restricted = _people(held=True), _people(restricted=True)
    if not held and not restricted:
        return
    with apply_shipped(title="Holds and restrictions from before their register", actor=actor):
        if held:
            members.write(Hold.objects.create(slug=_SLUG, matter="Not stated", reason=_REASON, people=held))
        if restricted:
            ground = Restriction.Ground.UNLAWFUL  # the one that opposes erasure
            members.write(Restriction.objects.create(slug=_SLUG, ground=ground, reason=_REASON, people=restricted))


def _people(**marked: bool) -> list[str]:
    return [str(ref) for ref in DataSubject.objects.filter(**marked).order_by("ref").values_list("ref", flat=True)]
