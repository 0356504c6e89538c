"""What the privacy dashboard shows one person: their level and why, their choices, decisions and data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent import selectors
from consent.models import ConsentRecord, Notice, Purpose
from consent.selectors import PurposeState
from personalization import engine
from personalization.models import Event
from policies import bundles, counterfactuals, decision_log, decisions, reasons
from policies.bundles import LEVELS
from policies.decisions import Prepared
from policies.engines.base import Reason, Verdict
from policies.facts import Question
from policies.models import ActiveBundle, Decision
from privacy.models import Disposal, RetentionSchedule

_MAIN_PURPOSE = "recommendations"
Text = str | Promise


@dataclass(frozen=True)
class _Step:
    slug: str
    label: Text
    uses: Text
    gives: Text


def _steps() -> list[_Step]:
    return [
        _Step("none", _("General"), _("Nothing about you"), _("What is popular with everybody")),
        _Step("segment", _("Group"), _("Your region and age group"), _("What is popular with people like you")),
        _Step("behavioral", _("Recent"), _("The last 100 things you did here"), _("Suggestions from what you liked")),
        _Step("contextual", _("This visit"), _("The same, and this visit"), _("Suggestions that follow along")),
        _Step("individual", _("Personal"), _("Everything you did here"), _("The closest suggestions")),
    ]


_STATE_LABELS = {
    "given": _("Allowed"),
    "refused": _("Not allowed"),
    "withdrawn": _("Turned off"),
    "expired": _("Ran out"),
    "renewal_required": _("Please answer again"),
    "never_asked": _("Not asked yet"),
    "not_required": _("Always on"),
    "objected": _("You objected"),
}
_BASIS_LABELS = {
    "consent": _("Your permission"),
    "contract": _("Needed for what you ordered"),
    "legal_obligation": _("The law requires it"),
    "vital_interests": _("To protect a life"),
    "public_task": _("A public task"),
    "legitimate_interests": _("Our legitimate interest; you can object"),
}
_ACTION_SENTENCES = {
    "given": _("You allowed it"),
    "refused": _("You said no"),
    "withdrawn": _("You turned it off"),
    "objected": _("You objected"),
}
_QUESTIONS = {
    "personalize": _("May we personalise for you?"),
    "collect": _("May we keep what you did?"),
    "train": _("May we learn from your data?"),
    "share": _("May we share your data?"),
    "contact": _("May we contact you?"),
    "price": _("May we set a personal price?"),
    "release": _("May we publish a statistic?"),
    "transfer": _("May your data go to another region?"),
}
_SOURCES = {"dashboard": _("on this page"), "api": _("through the shop"), "banner": _("in the banner")}
_STEP_LABELS = {"none": 0, "segment": 1, "behavioral": 2, "contextual": 3, "individual": 4}


def context(ref: UUID, *, session_ends: datetime | None, gpc: bool) -> dict[str, Any]:
    """The context of ``templates/privacy/dashboard.html``. Asks the policy what it would answer now; logs nothing."""
    now = timezone.now()
    person, states = selectors.states(ref, now=now)
    answers = {state.purpose.slug: _answer_now(ref, state.purpose, gpc) for state in states}
    main = answers.get(_MAIN_PURPOSE)
    level = _level(main)
    return {
        "business_name": settings.BUSINESS_NAME,
        "level": {"index": LEVELS[level], "label": _steps()[LEVELS[level]].label, "because": _because(main)},
        "levels": [_step(step, level) for step in _steps()],
        "signal": {"label": _("Your browser's opt-out request was honoured.")} if gpc else None,
        "all_off_possible": any(_is_on(state) for state in states),
        "purposes": [_purpose(state, answers[state.purpose.slug]) for state in states],
        "decisions": [_decision(decision) for decision in decision_log.decisions_about(ref, limit=8)],
        "history": [_history(record) for record in selectors.history(ref, limit=30)],
        "held_data": _held_data(ref),
        "disposals": [_disposal(d) for d in Disposal.objects.filter(subject_ref=ref)[:5]],
        "session_ends": session_ends,
        "known": person is not None,
    }


def _answer_now(ref: UUID, purpose: Purpose, gpc: bool) -> Prepared | None:
    """The answer a ``personalize`` question would get now; None for purposes that never personalise."""
    active = ActiveBundle.objects.first()
    if active is None or "personalize" not in purpose.actions:
        return None
    bundle = bundles.loaded(active.bundle_id)
    model = engine.model_in_use(bundle) if purpose.slug == _MAIN_PURPOSE else None
    question = Question(
        subject_ref=ref,
        action="personalize",
        purpose=purpose.slug,
        data_categories=tuple(purpose.data_categories),
        model=model,
        processing_region=settings.PROCESSING_REGION,
        gpc=gpc,
        segment_size=lambda known: engine.segment_size(model, bundle, engine.segment_key(known.region, known.age_band)),
    )
    return decisions.preview(question)


def _level(answer: Prepared | None) -> str:
    return (answer.verdict.level or "none") if answer and answer.verdict.decision else "none"


def _because(answer: Prepared | None) -> str:
    if answer is None:
        return str(_("Nothing here is personalised."))
    if answer.verdict.reasons:
        return reasons.for_person(answer.verdict.reasons[0].code)
    return str(_("You allowed it, and you can change that at any time."))


def _step(step: _Step, level: str) -> dict[str, Any]:
    return {
        "slug": step.slug,
        "label": step.label,
        "uses": step.uses,
        "gives": step.gives,
        "is_current": step.slug == level,
        "is_permitted": LEVELS[step.slug] <= LEVELS[level],
    }


def _is_on(state: PurposeState) -> bool:
    return state.purpose.needs_consent and state.state in ("given", "renewal_required", "expired")


def _purpose(state: PurposeState, answer: Prepared | None) -> dict[str, Any]:
    purpose = state.purpose
    notice = Notice.objects.filter(purpose=purpose).order_by("-version").first()
    schedule = RetentionSchedule.objects.filter(purpose=purpose, is_active=True).first()
    return {
        "slug": purpose.slug,
        "name": purpose.name,
        "benefit": purpose.benefit,
        "data_categories": [category.replace("_", " ") for category in purpose.data_categories],
        "recipients": [recipient.replace("-", " ") for recipient in purpose.recipients],
        "retention": _("%(days)d days") % {"days": schedule.retain_for.days} if schedule else "",
        "legal_basis": _BASIS_LABELS[purpose.legal_basis],
        "switchable": purpose.needs_consent,
        "is_on": state.state == "given",
        "state": state.state,
        "state_label": _STATE_LABELS[state.state],
        "since": state.since,
        "level_label": _steps()[LEVELS[_level(answer)]].label if answer else None,
        "reason": _because(answer) if answer and purpose.needs_consent else "",
        "notice": {"version": notice.version, "locale": notice.locale, "text": notice.text} if notice else None,
        "supersedes": state.record or "",
    }


def _decision(decision: Decision) -> dict[str, Any]:
    entry = msgspec.json.decode(decision.entry)
    outcomes = {"permit": "permitted", "deny": "not_permitted", "unknown": "unknown"}
    return {
        "id": str(decision.id),
        "when": decision.decided_at,
        "question": _QUESTIONS.get(decision.action, decision.action),
        "outcome": outcomes[decision.outcome],
        "level_label": _steps()[_STEP_LABELS[decision.level]].label if decision.level else None,
        "why": [reasons.for_person(code) for code in decision.reasons],
        "would_change": _would_change(decision, entry),
    }


def _would_change(decision: Decision, entry: dict[str, Any]) -> list[str]:
    if decision.outcome == Decision.Outcome.PERMIT and not decision.reasons:
        return []
    verdict = Verdict(
        revision=decision.bundle_revision,
        decision=decision.outcome == Decision.Outcome.PERMIT,
        level=decision.level or None,
        reasons=[Reason(code) for code in decision.reasons],
        obligations=[],
        legal_basis=None,
        requestable=False,
    )
    facts = msgspec.json.encode(entry["facts"])
    changes = counterfactuals.would_change(decisions.as_prepared(verdict, facts, entry["engine"]))
    return [sentence for change in changes if (sentence := _change_sentence(change))]


def _change_sentence(change: dict[str, Any]) -> str | None:
    if change["code"] == "grant_consent":
        purpose = Purpose.objects.filter(slug=change["purpose"]).first()
        return _("Allowing “%(purpose)s” would change this.") % {"purpose": purpose.name if purpose else ""}
    if change["code"] == "approve_model":
        return str(_("It would be different if we switched the method on again."))
    return None


def _history(record: ConsentRecord) -> dict[str, Any]:
    return {
        "when": record.recorded_at,
        "action": _ACTION_SENTENCES[record.state],
        "purpose_name": record.purpose.name,
        "notice_version": record.notice_version,
        "source": _SOURCES.get(record.source, record.source.replace("_", " ")),
        "receipt_url": None,
    }


def _held_data(ref: UUID) -> list[dict[str, Any]]:
    rows = Event.objects.filter(subject_ref=ref).values("kind").annotate(count=Count("id"), since=Min("received_at"))
    labels = {
        Event.Kind.VIEW: _("Things you looked at"),
        Event.Kind.LIKE: _("Things you liked"),
        Event.Kind.RATING: _("Ratings you gave"),
        Event.Kind.PURCHASE: _("Things you bought"),
    }
    return [{"label": labels[Event.Kind(r["kind"])], "count": r["count"], "since": r["since"]} for r in rows]


def _disposal(disposal: Disposal) -> dict[str, Any]:
    return {
        "when": disposal.finished_at or disposal.queued_at,
        "label": disposal.purpose.name,
        "status": disposal.status,
        "removed": disposal.total_removed,
    }
