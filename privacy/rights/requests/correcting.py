"""Rectification: what a person wants corrected to which value is done at once, or after an officer's decision.

By itself a correction may only protect more: another law or a greater age that would protect less is an officer's to
decide. What has no field, a guardian or a choice that was recorded wrongly, is decided in words.
"""

from datetime import datetime

from common.http.problems import Problem
from consent.ledger.persons import correcting
from consent.models import DataSubject
from privacy.rights.models import RightsRequest
from privacy.rights.requests import statements
from privacy.rights.requests.fulfilling import JOB, Figures


def wanted(request: RightsRequest) -> dict[str, str]:
    """Return what is to be corrected to which value; empty where the person says it in words."""
    return dict(statements.unseal(request.statement, request.statement_salt).correction)


def may_act(request: RightsRequest, actor: str) -> bool:
    """Return whether the correction may be written: an officer decides, or nothing is protected less by it."""
    asked, person = wanted(request), DataSubject.objects.filter(ref=request.subject_ref).first()
    if not asked or person is None or person.is_erased:
        return False
    return str(actor).startswith("officer:") or not correcting.lowers_protection(request.subject_ref, asked)


def act(request: RightsRequest, _now: datetime) -> Figures:
    """Write the correction. What may not be held here stays undone, and the verification says so."""
    asked = wanted(request)
    try:
        correcting.correct(request.subject_ref, asked, actor=JOB, request=str(request.pk))
    except Problem:
        return {"corrected": 0}
    return {"corrected": len(asked)}


def is_missing(request: RightsRequest) -> list[str]:
    """Return what is not as the person asked."""
    asked = wanted(request)
    return [] if correcting.is_as_wanted(request.subject_ref, asked) else sorted(asked)
