"""Remembered opt-out signals: a known person who once sent Global Privacy Control has opted out permanently.

Where the law binds a business to the signal (11 CCR 7025(c)(1)) it holds for the known person, not only for the browser
that sent it. Only a later yes of a person who was informed of the conflict lifts it, purpose by purpose.
"""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import trail
from consent.models import DataSubject
from consent.register.jurisdictions import match


def binds(region: str) -> bool:
    return "gpc" in match(region).pack.binding_signals


def remember(ref: UUID) -> None:
    """Remember the signal for a person who is known. Where nothing changes, nothing is written."""
    person = DataSubject.objects.filter(ref=ref, gpc_since=None).first()
    if person is not None and not person.is_erased and binds(person.region):
        _note(ref, actor="subject", details={"signal": "gpc"})


@transaction.atomic
def opt_out(ref: UUID, *, actor: str) -> None:
    """Remember what a person asked for in words: it counts as the signal does, in every region.

    Of a person who is not known a row is made: their first choice finds it, and with it the opt-out.
    """
    DataSubject.objects.bulk_create([DataSubject(ref=ref)], ignore_conflicts=True)
    _note(ref, actor=actor, details={"request": "opt_out"})


@transaction.atomic
def _note(ref: UUID, *, actor: str, details: dict[str, str]) -> None:
    if DataSubject.objects.filter(ref=ref, gpc_since=None).update(gpc_since=timezone.now()):
        trail.record("consent.signal_remembered", str(ref), actor=actor, details=details)
