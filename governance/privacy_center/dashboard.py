"""Privacy dashboard of one person: their level and why, their choices, decisions and data."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import Count, Min
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from common.levels import LEVELS, LevelName
from consent.ledger import scopes, selectors
from consent.ledger.selectors import Descriptions, PurposeState
from consent.models import ConsentRecord, DataSubject, Notice, Purpose, PurposeText
from consent.register import words
from consent.register.data_words import DataDescriptions
from governance.privacy_center import looks
from personalization import engine
from personalization.models import Event
from policies.bundles import loading, reasons
from policies.bundles.loading import LoadedBundle
from policies.decision_log import reading
from policies.decisions import evaluate, information
from policies.decisions.evaluate import RenderedVerdict
from policies.decisions.information import Information, InformationUnavailable
from policies.decisions.questions import Question
from policies.engines.base import Reason, Verdict
from policies.explaining import counterfactuals
from policies.models import Decision
from privacy.models import Disposal, RetentionSchedule

_MAIN_PURPOSE = "recommendations"
_REFUSALS = {"consent_refused", "consent_withdrawn"}
_DECISIONS_READ = 60
_DECISIONS_SHOWN = 8
Text = str | Promise


@dataclass(frozen=True)
class _Step:
    slug: LevelName
    uses: Text
    gives: Text

    @property
    def label(self) -> Text:
        return words.LEVELS[self.slug]


def _steps() -> list[_Step]:
    return [
        _Step("none", _("Nothing about you"), _("What is popular with everybody")),
        _Step("segment", _("Your region and age group"), _("What is popular with people like you")),
        _Step("behavioral", _("The last 100 things you did here"), _("Suggestions from what you liked")),
        _Step("contextual", _("The same, and this visit"), _("Suggestions that follow along")),
        _Step("individual", _("Everything you did here"), _("The closest suggestions")),
    ]


def limit_label(proof: Mapping[str, Any]) -> str | None:
    """Return the most personal use that a record allows, where it sets or lifts a limit."""
    limit = proof.get("max_level") or ("individual" if "adjusts" in proof else None)
    return str(_steps()[LEVELS[limit]].label) if limit else None


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
_SOURCES = {
    "dashboard": _("on this page"),
    "api": _("through the shop"),
    "banner": _("in the consent banner"),
    "import": _("import"),
}


def context(ref: UUID, *, session_ends: datetime | None, gpc: bool) -> dict[str, Any]:
    """Return the context of ``templates/privacy/dashboard.html``. Previews the policy's answers now; logs nothing."""
    person, states = selectors.states(ref, now=timezone.now())
    known, bundle = _in_force(ref)
    answers = _answers_now(ref, [state.purpose for state in states], gpc, known, bundle)
    main = answers.get(_MAIN_PURPOSE)
    level = _level(main)
    reach = _reach(ref, states, gpc, known, bundle)
    language = get_language() or "en"
    described = Descriptions(language)
    names = {state.purpose.slug: described.of(state.purpose).name for state in states}
    return {
        "business_name": settings.BUSINESS_NAME,
        "level": {"index": LEVELS[level], "label": _steps()[LEVELS[level]].label, "because": _because(main)},
        "levels": [_step(step, level, reach) for step in _steps()],
        "can_choose_level": LEVELS[reach] > 0,
        "signal": _signal(gpc, person),
        "all_off_possible": any(is_on(state) for state in states),
        "purposes": _purposes(states, answers, described, language),
        "decisions": _decisions(
            reading.decisions_about(ref, limit=_DECISIONS_READ), names, known.candidate if known else None
        ),
        "history": [_history(record, described) for record in selectors.history(ref, limit=30)],
        "held_data": _held_data(ref),
        "disposals": [
            _disposal(d, described) for d in Disposal.objects.filter(subject_ref=ref).select_related("purpose")[:5]
        ],
        "looks": looks.looks_at(ref),
        "session_ends": session_ends,
        "known": person is not None,
    }


def _signal(gpc: bool, person: DataSubject | None) -> dict[str, Any] | None:
    if gpc:
        return {"label": _("Your browser's opt-out request was honoured."), "since": None}
    if person is None or person.gpc_since is None:
        return None
    return {"label": _("We still follow the opt-out request that your browser sent us:"), "since": person.gpc_since}


def _answers_now(
    ref: UUID, purposes: Iterable[Purpose], gpc: bool, known: Information | None, bundle: LoadedBundle | None
) -> dict[str, RenderedVerdict | None]:
    """Return the current answer to a ``personalize`` question per purpose; None for those that never personalise."""
    return {
        purpose.slug: _answer_now(ref, purpose, gpc, known, bundle) if "personalize" in purpose.actions else None
        for purpose in purposes
    }


def _in_force(ref: UUID) -> tuple[Information | None, LoadedBundle | None]:
    """Return what every question of this page shares, read once."""
    try:
        known = information.read(ref)
    except InformationUnavailable:
        return None, None
    return known, loading.usable(known.bundle_revision)


def _answer_now(
    ref: UUID, purpose: Purpose, gpc: bool, known: Information | None, bundle: LoadedBundle | None
) -> RenderedVerdict | None:
    if bundle is None or known is None:
        return None
    model = engine.model_in_use(bundle) if purpose.slug == _MAIN_PURPOSE else None
    question = Question(
        subject_ref=ref,
        action="personalize",
        purpose=purpose.slug,
        data_categories=tuple(purpose.data_categories),
        model=model,
        processing_region=settings.PROCESSING_REGION,
        gpc=gpc,
        segment_size=engine.segment_size(model, bundle, engine.segment_key(known.region, known.age_band)),
    )
    return evaluate.preview(question, known=known)


def _level(answer: RenderedVerdict | None) -> str:
    return (answer.verdict.level or "none") if answer and answer.verdict.decision else "none"


def _because(answer: RenderedVerdict | None) -> str:
    if answer is None:
        return str(_("Nothing here is personalised."))
    if answer.verdict.reasons:
        return reasons.for_person(answer.verdict.reasons[0].code)
    return str(_("You allowed it, and you can change that at any time."))


def _reach(
    ref: UUID, states: list[PurposeState], gpc: bool, known: Information | None, bundle: LoadedBundle | None
) -> str:
    """Return the level the consents would permit if the person had set no limit."""
    purpose = next((state.purpose for state in states if state.purpose.slug == _MAIN_PURPOSE), None)
    if known is None or purpose is None:
        return "none"
    unlimited = {place: {k: v for k, v in entry.items() if k != "lv"} for place, entry in known.consents.items()}
    return _level(_answer_now(ref, purpose, gpc, msgspec.structs.replace(known, consents=unlimited), bundle))


def adjustable(states: Iterable[PurposeState]) -> list[PurposeState]:
    """Return the consents in force whose use can be more or less personal."""
    return [state for state in states if state.state == "given" and "personalize" in state.purpose.actions]


def _step(step: _Step, level: str, reach: str) -> dict[str, Any]:
    return {
        "slug": step.slug,
        "label": step.label,
        "uses": step.uses,
        "gives": step.gives,
        "is_current": step.slug == level,
        "is_permitted": LEVELS[step.slug] <= LEVELS[reach],
        "can_choose": LEVELS[reach] > 0 and step.slug != level and LEVELS[step.slug] <= LEVELS[reach],
    }


def is_on(state: PurposeState) -> bool:
    """Return whether the person can turn something off here: a consent, or processing that may be objected to."""
    if state.purpose.may_be_objected:
        return state.state != "objected"
    return state.purpose.needs_consent and state.state in ("given", "renewal_required", "expired")


def _purposes(
    states: list[PurposeState], answers: dict[str, RenderedVerdict | None], described: Descriptions, language: str
) -> list[dict[str, Any]]:
    purposes = [state.purpose for state in states]
    notices = selectors.notices_in(language, purposes)
    active = RetentionSchedule.objects.filter(purpose__in=purposes, is_active=True)
    days = {schedule.purpose_id: schedule.retain_for.days for schedule in active}
    by_slug = {state.purpose.slug: state for state in states}
    data = DataDescriptions(language)
    return [
        {
            **_purpose(state, answers[state.purpose.slug]),
            **_in_words(state.purpose, described),
            **_data(state.purpose, data),
            "retention": described.of(state.purpose).kept_for or _retention(state.purpose, days.get(state.purpose.pk)),
            "notice": _notice(notices.get(state.purpose.pk)),
            "new": _new(state, described),
            "reason": _purpose_reason(state, answers[state.purpose.slug], by_slug, described),
        }
        for state in states
    ]


def _in_words(purpose: Purpose, described: Descriptions) -> dict[str, Any]:
    own = described.of(purpose)
    above = described.of(purpose.parent) if purpose.parent else None
    return {
        "name": own.name,
        "benefit": own.benefit,
        "recipients": described.recipients_of(purpose),
        "language": own.locale,
        "part_of": above.name if above else "",
        "part_of_language": above.locale if above else "",
    }


def _data(purpose: Purpose, described: DataDescriptions) -> dict[str, Any]:
    return {"data_categories": described.names_of(purpose), "data_reasons": described.reasons_of(purpose)}


def _purpose(state: PurposeState, answer: RenderedVerdict | None) -> dict[str, Any]:
    purpose = state.purpose
    return {
        "slug": purpose.slug,
        "name": purpose.name,
        "benefit": purpose.benefit,
        "part_of": purpose.parent.name if purpose.parent else "",
        "legal_basis": _BASIS_LABELS[purpose.legal_basis],
        "switchable": purpose.needs_consent or purpose.may_be_objected,
        "objectable": purpose.may_be_objected,
        "is_on": is_on(state),
        "state": state.state,
        "state_label": _("On, unless you object") if _is_silent(state) else _STATE_LABELS[state.state],
        "since": state.since,
        "level_label": _steps()[LEVELS[_level(answer)]].label if answer else None,
        "supersedes": state.record or "",
        "explicit": purpose.explicit_consent,
        "expressly": state.explicit,
        "channels": _channels(state),
        "signal_conflict": state.state == "given" and _is_capped_by_signal(answer),
    }


def _is_capped_by_signal(answer: RenderedVerdict | None) -> bool:
    return answer is not None and any(r.code == "level_capped_by_signal" for r in answer.verdict.reasons)


def _channels(state: PurposeState) -> list[dict[str, Any]]:
    """Return the ways of contact that can be closed one by one, while the whole is allowed."""
    if not state.purpose.needs_consent or state.state != "given":
        return []
    found = []
    new = state.beyond.channels if state.beyond else ()  # asked about where all is that is new
    for channel in (each for each in state.purpose.channels if each not in new):
        part = state.parts.get(scopes.scope_of(channel=channel))
        found.append(
            {
                "slug": channel,
                "label": words.CHANNELS.get(channel, channel),
                "is_open": part is None or part.state == "given",
                "supersedes": part.record if part else "",
            }
        )
    return found


def _new(state: PurposeState, described: Descriptions) -> list[dict[str, Any]]:
    """Return what the person was not asked about yet, each part that can be answered on its own by itself."""
    more = state.beyond
    if more is None:
        return []
    parties = dict(zip(state.purpose.recipients, described.recipients_of(state.purpose), strict=True))
    parts = [
        *(("data_category", slug, words.plain(slug)) for slug in more.data_categories),
        *(("recipient", slug, parties.get(slug, slug)) for slug in more.recipients),
        *(("channel", slug, words.CHANNELS.get(slug, slug)) for slug in more.channels),
    ]
    whole: list[Text] = [words.plain_action(action) for action in more.actions]
    if more.agreed_level is not None:
        whole.append(_("Level: %(level)s") % {"level": words.LEVELS[state.purpose.max_level]})
    found = [{"dimension": dimension, "value": value, "label": label} for dimension, value, label in parts]
    if not whole:
        return found
    # What cannot be answered by itself is agreed to with the whole, and so with all that is new.
    every = ", ".join(str(label) for label in [*(label for *_, label in parts), *whole])
    return [*found, {"dimension": "", "value": "", "label": every}]


def preview_card(purpose: Purpose, notice: Notice | None, text: PurposeText | None) -> dict[str, Any]:
    """Return the card of a purpose for a person who was never asked: for officers, before publication."""
    state = "never_asked" if purpose.needs_consent else "not_required"
    schedule = RetentionSchedule.objects.filter(purpose=purpose, is_active=True).first()
    card = {
        **_purpose(PurposeState(purpose=purpose, state=state), None),
        "retention": purpose.kept_for or _retention(purpose, schedule.retain_for.days if schedule else None),
        "recipients": Descriptions("en").recipients_of(purpose),
        **_data(purpose, DataDescriptions(text.locale if text else "en")),
        "notice": _notice(notice),
    }
    if text is None:
        return card
    return {**card, "name": text.name, "benefit": text.benefit, "retention": text.kept_for or card["retention"]}


def _is_silent(state: PurposeState) -> bool:
    return state.purpose.may_be_objected and state.state != "objected"


def _retention(purpose: Purpose, days: int | None) -> Text:
    if not purpose.needs_consent:
        return _days(days) if days else _("As long as it is needed for this")
    return _days_at_most(days) if days else _("Until you turn it off")


def _days(days: int) -> str:
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


def _days_at_most(days: int) -> str:
    text = ngettext("%(days)d day, or until you turn it off", "%(days)d days, or until you turn it off", days)
    return text % {"days": days}


def _notice(notice: Notice | None) -> dict[str, Any] | None:
    return {"version": notice.version, "locale": notice.locale, "text": notice.text} if notice else None


def _purpose_reason(
    state: PurposeState, answer: RenderedVerdict | None, by_slug: dict[str, PurposeState], described: Descriptions
) -> Text:
    if answer is None or not state.purpose.needs_consent:
        return ""
    above = by_slug.get(state.purpose.parent.slug) if state.purpose.parent else None
    if state.state == "never_asked" and above is not None:
        # Until a purpose has an answer of its own, the answer to the broader one counts for it.
        if above.state == "given" and not _is_renewal(answer):
            return _("You allowed “%(purpose)s”, which this is part of.") % {
                "purpose": described.of(above.purpose).name
            }
        if above.state in ("refused", "withdrawn"):
            return _("You said no to “%(purpose)s”, which this is part of.") % {
                "purpose": described.of(above.purpose).name
            }
    return _because(answer)


def _is_renewal(answer: RenderedVerdict) -> bool:
    return any(reason.code == "renewal_required" for reason in answer.verdict.reasons)


def _decisions(found: Iterable[Decision], names: dict[str, str], candidate: str | None) -> list[dict[str, Any]]:
    """Return the newest decisions; equal answers to equal questions are one entry."""
    alike: dict[tuple[Any, ...], list[Decision]] = {}
    for decision in found:
        alike.setdefault(_likeness(decision), []).append(decision)
    return [_decision(same, names, candidate) for same in islice(alike.values(), _DECISIONS_SHOWN)]


def _likeness(decision: Decision) -> tuple[Any, ...]:
    return decision.action, decision.purpose, decision.outcome, decision.level, tuple(decision.reasons)


def _decision(same: list[Decision], names: dict[str, str], candidate: str | None) -> dict[str, Any]:
    decision = same[0]
    entry = msgspec.json.decode(decision.entry)
    outcomes = {"permit": "permitted", "deny": "not_permitted", "unknown": "unknown"}
    return {
        "id": str(decision.id),
        "when": decision.decided_at,
        "times": len(same),
        "first": same[-1].decided_at,
        "question": _QUESTIONS.get(decision.action, _("May we use your data?")),
        "purpose_name": names.get(decision.purpose, ""),
        "outcome": outcomes[decision.outcome],
        "level_label": _steps()[LEVELS[decision.level]].label if decision.level in LEVELS else None,
        "why": list(_why(decision, entry)),
        "follows_choice": bool(_REFUSALS.intersection(decision.reasons)),
        "would_change": _would_change(decision, entry, names, candidate),
    }


def _why(decision: Decision, entry: dict[str, Any]) -> Iterator[Text]:
    if decision.outcome == Decision.Outcome.PERMIT:
        basis = str(entry.get("legal_basis"))
        yield _("You had allowed it.") if basis == "consent" else _BASIS_LABELS.get(basis, _("Our rules allow it."))
    for code in dict.fromkeys(decision.reasons):
        yield reasons.for_person(code)


def _would_change(decision: Decision, entry: dict[str, Any], names: dict[str, str], candidate: str | None) -> list[str]:
    if decision.outcome == Decision.Outcome.PERMIT and not decision.reasons:
        name = names.get(decision.purpose) if entry.get("legal_basis") == "consent" else None
        return [_("Turning off “%(purpose)s” stops this.") % {"purpose": name}] if name else []
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
    changes = counterfactuals.would_change(
        evaluate.render_verdict(verdict, facts, entry["engine"]), candidate=candidate
    )
    sentences = (_change_sentence(change, names) for change in changes or [])
    return list(dict.fromkeys(sentence for sentence in sentences if sentence))


def _change_sentence(change: dict[str, Any], names: dict[str, str]) -> str | None:
    if change["code"] == "grant_consent" and change["purpose"] in names:
        return _("Allowing “%(purpose)s” would change this.") % {"purpose": names[change["purpose"]]}
    if change["code"] == "approve_model":
        return str(_("It would be different if we switched the method on again."))
    return None


def _history(record: ConsentRecord, described: Descriptions) -> dict[str, Any]:
    return {
        "when": record.recorded_at,
        "action": _("You changed how personal it may be")
        if "adjusts" in record.proof
        else _ACTION_SENTENCES[record.state],
        "limit": limit_label(record.proof),
        "purpose_name": described.of(record.purpose).name,
        "notice_version": record.notice_version,
        "source": _SOURCES.get(record.source, words.plain(record.source)),
        "receipt_url": reverse("privacy-receipt", args=[record.subject_revision]),
        "part": words.plain_part(record.scope),
    }


def _held_data(ref: UUID) -> list[dict[str, Any]]:
    rows = Event.objects.filter(subject_ref=ref).values("kind").annotate(count=Count("id"), since=Min("received_at"))
    labels = {
        Event.Kind.VIEW: _("Things you looked at"),
        Event.Kind.LIKE: _("Things you liked"),
        Event.Kind.RATING: _("Ratings you gave"),
        Event.Kind.PURCHASE: _("Things you bought"),
        Event.Kind.NOT_RELEVANT: _("Things you called not relevant"),
    }
    return [{"label": labels[Event.Kind(r["kind"])], "count": r["count"], "since": r["since"]} for r in rows]


def _disposal(disposal: Disposal, described: Descriptions) -> dict[str, Any]:
    purpose = described.of(disposal.purpose)
    return {
        "when": disposal.finished_at or disposal.queued_at,
        "label": purpose.name,
        "language": purpose.locale,
        "status": disposal.status,
        "removed": disposal.total_removed,
    }
