"""Privacy dashboard of one person: their level and why, their choices, decisions and data."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from common.levels import LEVELS
from consent.ledger import selectors
from consent.ledger.selectors import Descriptions
from consent.models import ConsentRecord, DataSubject, Purpose
from consent.register import words
from governance.privacy_center import cards, decisions, held_data, levels, looks
from privacy.models import Disposal

_ACTION_SENTENCES = {
    "given": _("You allowed it"),
    "refused": _("You said no"),
    "withdrawn": _("You turned it off"),
    "objected": _("You objected"),
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
    known, bundle = levels.in_force(ref)
    answers = levels.answers_now(ref, [state.purpose for state in states], gpc, known, bundle)
    main = answers.get(levels.MAIN_PURPOSE)
    level = levels.level_of(main)
    reach = levels.reach_of(ref, states, gpc, known, bundle)
    language = get_language() or "en"
    described = Descriptions(language)
    names = {state.purpose.slug: described.of(state.purpose).name for state in states}
    return {
        "business_name": settings.BUSINESS_NAME,
        "level": {"index": LEVELS[level], "label": words.LEVELS[level], "because": levels.because(main)},
        "levels": [levels.shown(step, level, reach) for step in levels.steps()],
        "can_choose_level": LEVELS[reach] > 0,
        "signal": _signal(gpc, person),
        "all_off_possible": any(cards.is_on(state) for state in states),
        "purposes": cards.cards(states, answers, described, language),
        "decisions": decisions.about(ref, names, known.candidate if known else None),
        "history": [_history(record, described) for record in selectors.history(ref, limit=30)],
        "held_data": held_data.about(person or DataSubject(ref=ref)),
        "disposals": [
            _disposal(d, d.purpose, described)
            for d in Disposal.objects.filter(subject_ref=ref).select_related("purpose")[:5]
            if d.purpose is not None  # that of a withdrawal, always
        ],
        "looks": looks.looks_at(ref),
        "session_ends": session_ends,
        "known": person is not None,
        "person": person,
    }


def _signal(gpc: bool, person: DataSubject | None) -> dict[str, Any] | None:
    if gpc:
        return {"label": _("Your browser's opt-out request was honoured."), "since": None}
    if person is None or person.gpc_since is None:
        return None
    return {"label": _("We still follow the opt-out request that your browser sent us:"), "since": person.gpc_since}


def _history(record: ConsentRecord, described: Descriptions) -> dict[str, Any]:
    return {
        "when": record.recorded_at,
        "action": _action(record),
        "limit": levels.limit_label(record.proof) if "kept" not in record.proof else None,
        "purpose_name": described.of(record.purpose).name,
        "notice_version": record.notice_version,
        "source": _SOURCES.get(record.source, words.plain(record.source)),
        "receipt_url": reverse("privacy-receipt", args=[record.subject_revision]),
        "part": words.plain_part(record.scope),
    }


def _action(record: ConsentRecord) -> Promise | str:
    if "kept" in record.proof:
        return _("You said no to what is new, and kept what you had allowed")
    return _("You changed how personal it may be") if "adjusts" in record.proof else _ACTION_SENTENCES[record.state]


def _disposal(disposal: Disposal, of: Purpose, described: Descriptions) -> dict[str, Any]:
    purpose = described.of(of)
    return {
        "when": disposal.finished_at or disposal.queued_at,
        "label": purpose.name,
        "language": purpose.locale,
        "status": disposal.status,
        "removed": disposal.total_removed,
    }
