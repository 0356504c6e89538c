"""How each right is fulfilled here, and what its verification asks. A right not listed cannot end in ``done``."""

from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone

from consent.ledger import ledger, opt_outs, selectors
from consent.models import DataSubject
from privacy.rights.answers import packages
from privacy.rights.clocks.laws import Right
from privacy.rights.erasure import answering, carrying
from privacy.rights.models import RightsRequest
from privacy.rights.requests import correcting
from privacy.rights.requests.fulfilling import JOB, Figures, Fulfilment
from privacy.rights.requests.states import Move


def _answer(request: RightsRequest, now: datetime) -> Figures:
    made = packages.make(request, now=now)
    packages.keep(request, made, now=now)
    return made.counts


def _object(request: RightsRequest, _now: datetime) -> Figures:
    """Object to everything that may be objected to: to profiling as a whole."""
    purposes = _not_objected(request, {})
    if purposes:
        choices = [ledger.Choice(purpose=purpose, choice="object") for purpose in purposes]
        ledger.save_choices(
            ledger.Request(subject_ref=request.subject_ref, choices=choices, source="request", actor=JOB)
        )
    return {"purposes": len(purposes)}


def _not_objected(request: RightsRequest, _figures: Figures) -> list[str]:
    _person, states = selectors.states(request.subject_ref, now=timezone.now())
    return [each.purpose.slug for each in states if each.purpose.may_be_objected and each.state != "objected"]


def _opt_out(request: RightsRequest, _now: datetime) -> Figures:
    """Remember the opt-out as a signal of the person's browser is: it counts in every decision from now on."""
    opt_outs.opt_out(request.subject_ref, actor=JOB)
    return {}


def _not_opted_out(request: RightsRequest, _figures: Figures) -> list[str]:
    is_out = DataSubject.objects.filter(pk=request.subject_ref, gpc_since__isnull=False).exists()
    return [] if is_out else ["the opt-out"]


def _not_restricted(request: RightsRequest, _figures: Figures) -> list[str]:
    """Return what is missing of a restriction, of every purpose or of a single one (``privacy.holds``)."""
    person = DataSubject.objects.filter(pk=request.subject_ref).first()
    is_restricted = person is not None and (
        person.restricted or any("restricted" in limits for limits in person.limits.values())
    )
    return [] if is_restricted else ["the restriction of the person's data"]


def _not_decided(request: RightsRequest, _figures: Figures) -> list[str]:
    """Return what is missing of a decision: an officer's own, in words."""
    decided = request.steps.filter(move=Move.VERIFY, actor__startswith="officer:").exclude(reason="")
    return [] if decided.exists() else ["an officer's decision, in words"]


def _not_corrected(request: RightsRequest, figures: Figures) -> list[str]:
    """Return what is not as the person asked; what was asked in words needs an officer's decision, in words."""
    return correcting.is_missing(request) if correcting.wanted(request) else _not_decided(request, figures)


_ANSWER = Fulfilment(packages.verify, _answer)
_DECIDED = Fulfilment(_not_decided)
FULFILMENTS: Mapping[Right, Fulfilment] = {
    Right.ACCESS: _ANSWER,
    Right.PORTABILITY: _ANSWER,
    Right.ERASURE: Fulfilment(
        answering.missing, count=answering.left, carry_out=carrying.carry_out, said=answering.said
    ),
    Right.OBJECTION: Fulfilment(_not_objected, _object),
    Right.OPT_OUT: Fulfilment(_not_opted_out, _opt_out),
    Right.RESTRICTION: Fulfilment(_not_restricted),
    Right.RECTIFICATION: Fulfilment(_not_corrected, correcting.act, may_act=correcting.may_act),
    Right.HUMAN_REVIEW: _DECIDED,
    Right.COMPLAINT: _DECIDED,
    Right.MAJORITY: _DECIDED,
    Right.APPEAL: _DECIDED,
}
