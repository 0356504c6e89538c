"""Cards of purposes on the privacy dashboard: what a purpose does, its state, and what a person can choose."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from consent.ledger import scopes, selectors
from consent.ledger.selectors import Descriptions, PurposeState
from consent.models import Notice, Purpose, PurposeText
from consent.register import words
from consent.register.data_words import DataDescriptions
from consent.register.part_words import LEVEL, PartWords, is_separable
from governance.privacy_center.levels import Text, because, level_of
from policies.decisions.evaluate import RenderedVerdict
from privacy.retention.data_sets import periods

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


def is_on(state: PurposeState) -> bool:
    """Return whether the person can turn something off here: a consent, or processing that may be objected to."""
    if state.purpose.may_be_objected:
        return state.state != "objected"
    return state.purpose.needs_consent and state.state in ("given", "renewal_required", "expired")


def adjustable(states: Iterable[PurposeState]) -> list[PurposeState]:
    """Return the consents in force whose use can be more or less personal."""
    return [state for state in states if state.state == "given" and "personalize" in state.purpose.actions]


def cards(
    states: list[PurposeState], answers: dict[str, RenderedVerdict | None], described: Descriptions, language: str
) -> list[dict[str, Any]]:
    """Return the cards of all purposes, in the order of their states."""
    purposes = [state.purpose for state in states]
    notices = selectors.notices_in(language, purposes)
    days = periods.of_purposes()
    by_slug = {state.purpose.slug: state for state in states}
    data = DataDescriptions(language)
    named = PartWords(language, described=described, data=data)
    return [
        {
            **_purpose(state, answers[state.purpose.slug]),
            **_in_words(state.purpose, described),
            **_data(state.purpose, data),
            "retention": described.of(state.purpose).kept_for
            or _retention(state.purpose, days.get(state.purpose.slug)),
            "notice": _notice(notices.get(state.purpose.pk)),
            "new": _new(state, named),
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
        "legal_basis": words.BASES[purpose.legal_basis],
        "switchable": purpose.needs_consent or purpose.may_be_objected,
        "objectable": purpose.may_be_objected,
        "is_on": is_on(state),
        "state": state.state,
        "state_label": _("On, unless you object") if _is_silent(state) else _STATE_LABELS[state.state],
        "since": state.since,
        "level_label": words.LEVELS[level_of(answer)] if answer else None,
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


def _new(state: PurposeState, named: PartWords) -> list[dict[str, Any]]:
    """Return what the person was not asked about yet, each part that can be answered on its own by itself."""
    more = state.beyond
    if more is None:
        return []
    names = named.of(state.purpose)
    parts = more.parts(state.purpose.max_level)
    alone = [part for part in parts if is_separable(part)]
    found = [
        {"dimension": dimension, "value": value, "label": names[part]}
        for part in alone
        for dimension, _equals, value in (part.partition("="),)
    ]
    if alone == parts:
        return found
    # What cannot be answered by itself is agreed to with the whole, and so with all that is new.
    return [*found, {"dimension": "", "value": "", "label": ", ".join(names[part] for part in parts)}]


def preview_card(purpose: Purpose, notice: Notice | None, text: PurposeText | None) -> dict[str, Any]:
    """Return the card of a purpose for a person who was never asked: for officers, before publication."""
    state = "never_asked" if purpose.needs_consent else "not_required"
    days = periods.of_purposes().get(purpose.slug)
    card = {
        **_purpose(PurposeState(purpose=purpose, state=state), None),
        "retention": purpose.kept_for or _retention(purpose, days),
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
    return because(answer)


def _is_renewal(answer: RenderedVerdict) -> bool:
    """Return whether the person is to be asked; a level above the broader purpose's alone is no reason to."""
    return any(reason.code == "renewal_required" and reason.detail != LEVEL for reason in answer.verdict.reasons)
