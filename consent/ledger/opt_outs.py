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


@transaction.atomic
def remember(ref: UUID) -> None:
    """Remember the signal for a person who is known. Where nothing changes, nothing is written."""
    person = DataSubject.objects.filter(ref=ref, gpc_since=None).first()
    if person is None or not binds(person.region):
        return
    if DataSubject.objects.filter(ref=ref, gpc_since=None).update(gpc_since=timezone.now()):
        trail.record("consent.signal_remembered", str(ref), actor="subject", details={"signal": "gpc"})
