"""Reason codes and their meaning: a sentence for officers and one for the person concerned."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Codes by which an answer is "unknown": something was missing, not forbidden.
UNKNOWN_REASONS = frozenset(
    {
        "purpose_missing",
        "purpose_unknown",
        "recipient_unknown",
        "subject_type_unknown",
        "subject_unknown",
        "resource_unknown",
        "region_unknown",
        "model_unknown",
        "stale_read",
        "bundle_missing",
        "engine_unavailable",
        "engine_timeout",
        "engine_undefined",
        "information_unavailable",
        "cell_unavailable",
        "region_conflict",
    }
)


@dataclass(frozen=True)
class Sentence:
    officer: str | Promise
    person: str | Promise


_SENTENCES: dict[str, Sentence] = {
    "consent_missing": Sentence(_("The person was never asked."), _("You have not been asked about this yet.")),
    "consent_refused": Sentence(_("The person refused."), _("You said no to this.")),
    "consent_withdrawn": Sentence(_("The person withdrew consent."), _("You turned this off.")),
    "consent_expired": Sentence(
        _("The consent is too old and must be asked again."), _("Your permission ran out and was not renewed.")
    ),
    "renewal_required": Sentence(
        _("The notice changed in substance since the person agreed."),
        _("The conditions changed since you agreed, so we need to ask you again."),
    ),
    "objection": Sentence(_("The person objected (GDPR Article 21)."), _("You objected to this.")),
    "restricted": Sentence(
        _("Processing is restricted (GDPR Article 18)."), _("The use of your data is restricted at present.")
    ),
    "minor": Sentence(
        _("The person is a minor, or of unknown age where that counts as minor."),
        _("We do not personalise for young people."),
    ),
    "sensitive_without_explicit_consent": Sentence(
        _("A special category was asked for without explicit consent (GDPR Article 9)."),
        _("Sensitive information about you was left out."),
    ),
    "signal_opt_out": Sentence(
        _("A signal of this request opts out."), _("Your browser asked us not to share your data.")
    ),
    "level_capped_by_choice": Sentence(
        _("The person chose a lower level."), _("You chose less personal, and we keep to it.")
    ),
    "level_capped_by_signal": Sentence(
        _("A browser signal lowers the level."), _("Your browser asked for more privacy, and we respect that.")
    ),
    "level_capped_by_jurisdiction": Sentence(
        _("The person was never asked, and the law's row allows no higher level then."),
        _("You have not been asked about this yet, so we go no further than this."),
    ),
    "level_capped_by_model": Sentence(
        _("The model may not serve a higher level."), _("The method in use is limited to this level.")
    ),
    "level_capped_by_purpose": Sentence(
        _("The purpose allows no higher level."), _("We never go further than this here.")
    ),
    "residency": Sentence(
        _("No residency rule allows processing this data in this region."),
        _("Your data may not be used in that part of the world."),
    ),
    "transfer_instrument_expired": Sentence(
        _("The transfer instrument has ended."), _("The agreement that protects your data abroad has ended.")
    ),
    "model_unknown": Sentence(_("The model is not in the register."), _("The method in use is not approved.")),
    "model_not_live": Sentence(
        _("The model is not approved at present."), _("We have switched this method off for the moment.")
    ),
    "model_purpose": Sentence(
        _("The model is not approved for this purpose."), _("The method in use is not approved for this.")
    ),
    "gate_failed": Sentence(_("A release gate of the model failed."), _("The method in use did not pass our checks.")),
    "category_not_allowed": Sentence(
        _("A data category does not belong to this purpose."), _("Some of your data may not be used for this.")
    ),
    "retention_exceeded": Sentence(_("The data is past its retention."), _("The data is too old to be used.")),
    "legal_hold": Sentence(_("The data is under legal hold."), _("Your data is kept for a legal matter and not used.")),
    "segment_too_small": Sentence(
        _("Fewer than k people are in the segment."), _("The group you belong to is too small to hide in.")
    ),
    "budget_exhausted": Sentence(
        _("The privacy budget is spent."), _("We have published as much about this as privacy allows.")
    ),
    "recipient_not_allowed": Sentence(
        _("The recipient is not named for this purpose."), _("Your data is not given to that company.")
    ),
    "quiet_hours": Sentence(_("It is quiet time where the person lives."), _("We do not disturb you at this hour.")),
    "purpose_unknown": Sentence(_("The purpose is not in the register."), _("This is not allowed.")),
    "purpose_missing": Sentence(
        _("The question names no purpose; one of the register is needed."), _("This is not allowed.")
    ),
    "recipient_unknown": Sentence(
        _("The recipient is not in the register under this name."), _("Your data is not given to that company.")
    ),
    "subject_type_unknown": Sentence(
        _("Nothing is known about this person under this subject type; the usual type is data_subject."),
        _("You have not answered yet."),
    ),
    "action_not_allowed": Sentence(_("The purpose does not include this action."), _("This is not allowed.")),
    "subject_unknown": Sentence(_("Nothing is known about this person."), _("You have not answered yet.")),
    "region_unknown": Sentence(
        _("The person's region is not known, so no residency rule applies."),
        _("We do not know which country's rules protect you."),
    ),
    "stale_read": Sentence(
        _("The read was older than the caller demanded."), _("Your latest choice had not arrived yet.")
    ),
    "resource_unknown": Sentence(_("The resource is not known."), _("We do not know what was asked about.")),
    "not_permitted": Sentence(_("No rule of the policy permits it."), _("Our rules do not allow it.")),
    "engine_unavailable": Sentence(
        _("The policy engine could not be reached."),
        _("We could not check your choices, so we used none of your data."),
    ),
    "engine_timeout": Sentence(
        _("The policy engine was too slow."),
        _("We could not check your choices in time, so we used none of your data."),
    ),
    "engine_undefined": Sentence(
        _("The policy gave no usable answer."), _("We could not check your choices, so we used none of your data.")
    ),
    "bundle_missing": Sentence(
        _("No policy bundle is in force."), _("Our rules were not available, so we used none of your data.")
    ),
    "information_unavailable": Sentence(
        _("The database did not answer."), _("We could not read your choices, so we used none of your data.")
    ),
    "cell_unavailable": Sentence(
        _("The cell that holds the person did not answer."),
        _("The place that keeps your choices could not be asked, so we used none of your data."),
    ),
    "region_conflict": Sentence(
        _("The region stated contradicts the one stored in this cell."),
        _("We are not sure which country's rules protect you, so we used none of your data."),
    ),
}
_OTHER = Sentence(_("See the policy for this reason."), _("Our rules do not allow it."))


def for_officer(code: str) -> str:
    return str(_SENTENCES.get(code, _OTHER).officer)


def for_person(code: str) -> str:
    return str(_SENTENCES.get(code, _OTHER).person)


CODES = frozenset(_SENTENCES)


def outcome_of(decision: bool, codes: Iterable[str]) -> str:
    """Return the outcome as the log names it: a denial for want of knowledge is ``unknown``."""
    return "permit" if decision else "unknown" if UNKNOWN_REASONS.intersection(codes) else "deny"
